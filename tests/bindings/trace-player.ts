/**
 * The twin of tests/core/trace_runner.cpp over the bound core: the same traces, the same words, the same command bytes. No Node
 * names: pages play them too.
 */
import { decodeCommands, type Command, type DeliverCommand, type NoteCommand } from '../../bindings/commands.js'
import type { CoreRun } from '../../bindings/core.js'
import { AetherflowError } from '../../bindings/errors.js'
import {
  checkVerdicts,
  failureKinds,
  finishReasons,
  limitWindows,
  lookResults,
  reasons,
  refusals,
  verdicts,
  type EventKind,
} from '../../bindings/generated/wire.js'
import type { StepInfo } from '../../bindings/events.js'

export interface Trace {
  readonly plan: string
  /** What a step of the plan spreads into. */
  readonly parts: string
  readonly options: string
  readonly lines: readonly string[]
  /** Calls are shown with their answer limits. */
  readonly showsMost: boolean
}
interface TableDocument {
  readonly providers: readonly { readonly id: string }[]
  readonly models: readonly { readonly id: string; readonly provider: string }[]
}

export function parseTrace(text: string): Trace {
  const block = (name: string): string => new RegExp(`^\`\`\`${name}.*\\n([^]*?)^\`\`\``, 'm').exec(text)?.[1] ?? ''
  return {
    plan: block('plan'),
    parts: block('parts'),
    options: block('options'),
    lines: block('trace').split('\n').filter(Boolean),
    showsMost: text.includes('```trace most'),
  }
}

/** Of a look, as `looked` has them. */
const lookNumbers = ['key', 'tokens', 'usd', 'ms', 'score']

const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
/** "tue", "02:00": ms since 1970 of that hour in its first whole week. 5 January 1970 was a Monday. */
function epochMs(day: string, hour: string): number {
  const [hours = 0, minutes = 0] = hour.split(':').map(Number)
  return (days.indexOf(day) + 4) * 86_400_000 + (hours * 60 + minutes) * 60_000
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
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

  play(): { lines: readonly string[]; bytes: Uint8Array } {
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
    return { lines: this.lines, bytes: joined(this.#bytes) }
  }

  #say(text: string): void {
    this.lines.push(`${String(this.#now).padEnd(5)} < ${text}`)
  }

  #drain(): void {
    const records = this.run.drain()
    this.#bytes.push(new Uint8Array(records.buffer, records.byteOffset, records.byteLength))
    this.#learnIds()
    for (const command of decodeCommands(records)) this.#say(this.#describe(command))
    const wake = this.run.nextWake()
    if (wake !== undefined) this.#say(`wake ${wake}`)
  }

  #learnIds(): void {
    for (const step of this.run.document<StepInfo[]>('steps', this.#ids.length)) this.#ids.push(step.id)
  }

  #describe(command: Command): string {
    const id = (step: number): string => this.#ids[step] ?? '?'
    switch (command.kind) {
      case 'finish':
        return `finish ${command.outcome}`
      case 'wake':
        return `wake ${command.at}`
      case 'cancel':
        return `cancel ${id(command.step)} #${command.call} ${command.reason}`
      case 'call': {
        const words = ['call', id(command.step), `#${command.call}`, command.purpose, this.#target(command)]
        if (this.trace.showsMost) words.push(`most=${command.maxTokens}`)
        if (command.reason !== undefined) words.push(command.reason)
        return words.join(' ')
      }
      case 'check':
        return `check ${id(command.step)} #${command.call}`
      case 'retrieve':
        return `retrieve ${id(command.step)}`
      case 'expand':
        return `expand ${id(command.step)}`
      case 'look':
        return `look ${id(command.step)} ${this.#target(command)} ${command.use} rank=${command.rank}`
      case 'store': {
        const { step, call, tokens, microUsd, ms } = command
        return `store ${id(step)} #${call} ${this.#target(command)} tokens=${tokens} usd=${microUsd} ms=${ms}`
      }
      case 'deliver':
        return ['deliver', id(command.step), ...this.#origin(command)].join(' ')
      case 'note': {
        const words: string[] = ['note']
        if (command.step >= 0) words.push(id(command.step))
        words.push(command.reason)
        if (command.call >= 0) words.push(`#${command.call}`)
        return [...words, ...this.#numbers(command)].join(' ')
      }
    }
  }

  /** The call that made an output, or where else it came from. */
  #origin({ call, origin, score, from, savedTokens, savedMicroUsd, savedMs }: DeliverCommand): string[] {
    if (origin === 'called' || origin === 'repaired') return [`#${call}`]
    if (origin === 'recalled' || origin === 'joined') return [origin]
    const saved = [`tokens=${savedTokens}`, `usd=${savedMicroUsd}`, `ms=${savedMs}`]
    if (origin === 'shared') return ['shared', 'of', this.#ids[from] ?? '?', ...saved]
    return [origin, `score=${score}`, ...saved]
  }

  /** The provider, and the model when it is another than the provider's own: the traces' tables name that first. */
  #target({ provider, model }: { readonly provider: number; readonly model: number }): string {
    const { providers, models } = this.run.document<TableDocument>('table')
    const id = providers[provider]?.id ?? ''
    if (model < 0 || this.#defaults(id) === models[model]?.id) return id
    return `${id}/${models[model]?.id}`
  }
  #defaults(provider: string): string | undefined {
    const table = this.run.document<{ providers: Record<string, { default: string }> }>('defaults')
    return table.providers[provider]?.default
  }

  /** A target by its words, as the numbers of its provider and model. */
  #model(target: string): [number, number] {
    const { providers, models } = this.run.document<TableDocument>('table')
    const [provider = '', model = this.#defaults(provider)] = target.split('/')
    const known = models.findIndex((one) => one.provider === provider && one.id === model)
    return [providers.findIndex(({ id }) => id === provider), known]
  }

  /** What a note tells by numbers. */
  #numbers(note: NoteCommand): string[] {
    const words: string[] = []
    if (note.provider >= 0 && note.reason !== 'retrying') words.push('at', this.#target(note))
    if (note.failure !== undefined) words.push(note.failure)
    if (note.window !== undefined) words.push(note.window)
    if (note.waitMs >= 0) words.push(`wait=${note.waitMs}`)
    if (note.limit >= 0) words.push(`limit=${note.limit}`)
    if (note.untilMs >= 0) words.push(`until=${note.untilMs}`)
    if (note.reason === 'waiting_for_reserved') words.push(`for=${this.#ids[note.cause]}`)
    if (note.sharedTokens >= 0) {
      if (note.cause >= 0) words.push(`behind=${this.#ids[note.cause]}`)
      if (note.needed >= 0) words.push(`expected=${note.needed}`)
      words.push(`shared=${note.sharedTokens}`, `sharers=${note.sharers}`)
      words.push(`saves=${note.savesMicroUsd}`, `adds=${note.addsMs}`)
    }
    return words
  }

  #event(what: string, words: readonly string[]): void {
    const { run } = this
    const now = this.#now
    const bytes = new TextEncoder().encode(this.trace.plan)
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
      case 'parts':
        run.planBytes(new TextEncoder().encode(this.trace.parts), now)
        return run.planEnd(now)
      case 'bytes':
        this.#fed += call
        return run.planBytes(bytes.subarray(this.#fed - call, this.#fed), now)
      case 'rest':
        return run.planBytes(bytes.subarray(this.#fed), now)
      case 'end':
        return run.planEnd(now)
      case 'begin':
        return run.begin(JSON.parse(this.trace.options), now)
      case 'spent': {
        const { budget } = run.document<{ budget?: { reservedMicroUsd: number } }>('report')
        const reserved = budget === undefined ? '' : ` reserved ${budget.reservedMicroUsd}`
        return this.#say(`spent ${run.cost()}${reserved}`)
      }
      default:
        return this.#signal(what, words)
    }
  }

  /** The rest are signals: they go through the one door that journals use. */
  #signal(what: string, words: readonly string[]): void {
    const [first = '', second = ''] = words
    const call = Number(first)
    const value = (key: string): string | undefined =>
      words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1)
    const number = (key: string, fallback = 0): number => Number(value(key) ?? fallback)
    const send = (kind: EventKind, ...values: number[]): number => this.run.signal(kind, values, this.#now)
    const among = (list: readonly string[]): number => list.findIndex((name) => words.includes(name))
    const named = (list: readonly string[], key: string): number => Math.max(0, list.indexOf(value(key) ?? ''))
    this.#learnIds()
    const at = this.#ids.indexOf(first) >>> 0
    const signals: Record<string, () => number> = {
      tick: () => send('tick'),
      started: () => send('started', call, 1, 3),
      firstToken: () => send('firstToken', call),
      progress: () => send('progress', call, second === '' ? 7 : Number(second)),
      verdict: () => send('verdict', call, Math.max(0, among(verdicts)), number('kept', -1)),
      drafting: () => send('drafting', at, Math.max(0, among(reasons)), Number(words.includes('beside'))),
      checked: () => send('checked', 0, call, Number(second === 'pass')),
      cancelRun: () => send('cancelRun'),
      cancelStep: () => send('cancelStep', at, words.includes('unmet') ? 2 : number('settled')),
      weighed: () => send('weighed', at, Number(words[1] ?? 0), number('file', -1)),
      recalled: () => send('recalled', at, words.includes('joined') ? 1 : -1),
      expanded: () => send('expanded', at),
      stored: () => send('stored', at, Number(!words.includes('refused'))),
      retrieved: () => send('retrieved', at, number('tokens')),
      looked: () => send('looked', at, Math.max(0, among(lookResults)), ...lookNumbers.map((key) => number(key, -1))),
      refused: () => send('refused', call, among(refusals), among(limitWindows), number('until', -1)),
      freed: () => send('freed', ...this.#model(first)),
      clock: () => send('clock', epochMs(first, second)),
      prompted: () => send('prompted', call, Number(second), 0),
      limitsSeen: () =>
        send(
          'limitsSeen',
          call,
          among(limitWindows),
          number('limit', -1),
          number('remaining', -1),
          number('reset', -1),
        ),
      succeeded: () => {
        const usage = [number('in'), number('cached'), number('out'), 0]
        return send('succeeded', call, ...usage, named(finishReasons, 'finish'), named(checkVerdicts, 'check'), -1, 0)
      },
      failed: () => {
        const usage = [number('in'), number('cached'), number('out'), 0]
        const shown = Number(words.includes('shown'))
        const kind = among(failureKinds)
        return send('failed', call, kind, number('retryAfter', -1), ...usage, shown, number('mayRetry', -1))
      },
    }
    const signal = signals[what]
    if (signal === undefined) throw new Error(`unknown event ${what}`)
    if (signal() === 1) this.#say(`withheld #${first}`)
  }
}
