/** The twin of tests/core/trace_runner.cpp over the bound core: the same traces, the same words, the same command bytes. */
import { readFileSync } from 'node:fs'
import { decodeCommands, type Command } from '../../bindings/commands.js'
import type { CoreRun } from '../../bindings/core.js'
import { AetherflowError } from '../../bindings/errors.js'
import {
  checkVerdicts,
  failureKinds,
  finishReasons,
  outcomes,
  type CheckVerdict,
  type FailureKind,
  type FinishReason,
} from '../../bindings/generated/wire.js'
import type { StepInfo } from '../../bindings/events.js'

export interface Trace {
  readonly plan: string
  readonly options: string
  readonly lines: readonly string[]
}

export function readTrace(path: string): Trace {
  const block = (name: string): string =>
    new RegExp(`^\`\`\`${name}\\n([^]*?)^\`\`\``, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? ''
  return { plan: block('plan'), options: block('options'), lines: block('trace').split('\n').filter(Boolean) }
}

export class TracePlayer {
  readonly lines: string[] = []
  readonly #bytes: Uint8Array[] = []
  #now = 0
  #fed = 0
  #ids: string[] = []

  constructor(
    private readonly run: CoreRun,
    private readonly trace: Trace,
  ) {}

  play(): { lines: readonly string[]; bytes: Buffer } {
    for (const line of this.trace.lines) {
      const [at = '', mark = '', what = '', ...rest] = line.split(' ').filter(Boolean)
      if (!mark.startsWith('>')) continue
      this.lines.push(line)
      this.#now = Number(at)
      try {
        this.#event(what, rest)
      } catch (error) {
        if (!(error instanceof AetherflowError)) throw error
        this.#say(`error ${error.code}`)
      }
      if (mark === '>') this.#drain()
    }
    return { lines: this.lines, bytes: Buffer.concat(this.#bytes) }
  }

  #say(text: string): void {
    this.lines.push(`${String(this.#now).padEnd(5)} < ${text}`)
  }

  #drain(): void {
    const records = this.run.drain()
    this.#bytes.push(new Uint8Array(records.buffer, records.byteOffset, records.byteLength))
    for (const step of this.run.document<StepInfo[]>('steps', this.#ids.length)) this.#ids.push(step.id)
    for (const command of decodeCommands(records)) this.#say(this.#describe(command))
  }

  #describe(command: Command): string {
    const table = this.run.document<{ providers: { id: string }[] }>('table')
    const words: (string | undefined)[] = [command.kind]
    if (command.step >= 0) words.push(this.#ids[command.step])
    if (command.kind === 'note') words.push(command.reason)
    if (command.kind === 'finish') return `finish ${outcomes[command.a]}`
    if (command.call >= 0) words.push(`#${command.call}`)
    if (command.kind === 'call') words.push(command.purpose, table.providers[command.provider]?.id)
    if (command.kind === 'cancel') words.push(command.reason)
    return words.join(' ')
  }

  #event(what: string, words: readonly string[]): void {
    const { run } = this
    const now = this.#now
    const bytes = Buffer.from(this.trace.plan)
    const call = Number(words[0])
    switch (what) {
      case 'plan': {
        let broken: unknown
        try {
          run.planBytes(bytes, now)
        } catch (error) {
          broken = error
        }
        run.planEnd(now)
        if (broken !== undefined) throw broken
        return
      }
      case 'bytes':
        this.#fed += call
        return run.planBytes(bytes.subarray(this.#fed - call, this.#fed), now)
      case 'rest':
        return run.planBytes(bytes.subarray(this.#fed), now)
      case 'end':
        return run.planEnd(now)
      case 'begin':
        return run.begin(JSON.parse(this.trace.options), now)
      case 'tick':
        return run.tick(now)
      case 'started':
        return run.started(call, true, 3, now)
      case 'firstToken':
        return run.firstToken(call, now)
      case 'progress':
        return run.progress(call, 7, now)
      case 'verdict':
        return run.verdict(call, words[1] === 'pass', now)
      case 'cancelRun':
        return run.cancelRun(now)
      case 'cancelStep': {
        const step = this.#ids.indexOf(words[0] ?? '')
        return run.cancelStep(step < 0 ? 0xffffffff : step, now)
      }
      case 'succeeded':
        return this.#succeeded(call, words)
      case 'failed': {
        const kind: FailureKind = failureKinds.find((name) => words.includes(name)) ?? 'server_error'
        return run.failed(call, kind, { shown: false }, now)
      }
      default:
        throw new Error(`unknown event ${what}`)
    }
  }

  #succeeded(call: number, words: readonly string[]): void {
    const value = (key: string): string | undefined =>
      words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
    const finish: FinishReason = finishReasons.find((name) => name === value('finish')) ?? 'stop'
    const verdict: CheckVerdict = checkVerdicts.find((name) => name === value('check')) ?? 'passed'
    const usage = { input: Number(value('in') ?? 0), cached: 0, output: Number(value('out') ?? 0), reasoning: 0 }
    this.run.succeeded(call, usage, { finish, verdict, estimated: false }, this.#now)
  }
}
