/** Runs of a dozen steps that are killed, and what must hold of them afterwards. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { journalPlan, readJournal } from '../../bindings/journal/reader.js'
import { root } from '../checks/sources.js'
import { program } from '../node/cli-process.js'

const compiled = path.join(root, 'build/tests-js/tests/crash')

/** Twelve steps in layers: some end together, some alone, and the last needs all. */
const ids = ['a', 'b', 'c', 'd', 'ab', 'bc', 'cd', 'abc', 'bcd', 'solo', 'late', 'all'] as const
const needs: Readonly<Record<string, readonly string[]>> = {
  ...{ ab: ['a', 'b'], bc: ['b', 'c'], cd: ['c', 'd'], abc: ['ab', 'c'], bcd: ['bc', 'd'] },
  ...{ late: ['abc'], all: ['abc', 'bcd', 'cd', 'late', 'solo', 'each'] },
}
/** Parts that a step spreads into when `a` is done: each[0] and so on, here without brackets, as their provider knows them. */
const parts = ['each0', 'each1', 'each2']
export const steps: readonly string[] = [...ids, ...parts]
/** Steps that ask for documents: what they were given is in the journal, and their keys hold it. */
const asking: readonly string[] = ['a', 'b', 'late']
const documents = { query: 'how is a power cut survived', tokens: 200 }
const each = { for_each: parts.map((id) => `STEP-${id}`), description: '{{item}}: do it', dependencies: ['a'] }
const plan = {
  task_id: 'crash',
  description: 'a run that is killed',
  steps: [
    ...ids.map((id) => ({
      ...{ id, type: 'testing', description: `STEP-${id}: do it`, dependencies: needs[id] ?? [] },
      ...(asking.includes(id) ? { context: { documents } } : {}),
    })),
    { id: 'each', type: 'testing', ...each },
  ],
}

export interface LedgerEntry {
  readonly step: string
  readonly key?: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Steps whose end was told. */
  readonly done: readonly string[]
}

/** A provider's process and a folder for runs against it. */
export class CrashBench {
  private constructor(
    readonly folder: string,
    private readonly url: string,
    private readonly server: ReturnType<typeof spawn>,
  ) {}

  static async start(): Promise<CrashBench> {
    const server = spawn(process.execPath, [path.join(compiled, 'ledger-server.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const url = await new Promise<string>((resolve) => {
      server.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()))
    })
    const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-crash-'))
    const others = ['deepseek', 'gemini', 'groq', 'mistral'].map((id) => [id, { keyEnv: 'AETHERFLOW_TEST_UNSET' }])
    const openai = { baseUrl: `${url}/v1`, key: 'sk-canary-3b7f', concurrency: 4 }
    writeFileSync(
      path.join(folder, 'config.json'),
      JSON.stringify({ providers: { ...Object.fromEntries(others), openai } }),
    )
    writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan))
    writeFileSync(path.join(folder, 'guide.md'), '# Power\n\nA power cut is survived by the journal.\n')
    const otherwise = plan.steps.map((step) =>
      step.id === 'cd' ? { ...step, description: 'STEP-cd: otherwise' } : step,
    )
    writeFileSync(path.join(folder, 'changed.json'), JSON.stringify({ ...plan, steps: otherwise }))
    const bench = new CrashBench(folder, url, server)
    // The index is kept from here on: how often a run flushes does not depend on the runs before it.
    const command = [process.execPath, program, 'check', 'plan.json']
    const { code, stdout } = await bench.run('check', [], { command })
    if (code !== 0 || !stdout.includes('guide.md:Power')) throw new Error(`the documents are not found: ${stdout}`)
    return bench
  }

  stop(): void {
    this.server.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async ledger(): Promise<LedgerEntry[]> {
    return (await (await fetch(`${this.url}/ledger`)).json()) as LedgerEntry[]
  }
  async clear(): Promise<void> {
    await fetch(`${this.url}/clear`, { method: 'POST' })
  }

  out(name: string): string {
    return path.join(this.folder, name)
  }

  /** One process. `before`: what runs it, such as strace with its options. */
  run(name: string, words: readonly string[], { killAt, before = [], command }: RunHow = {}): Promise<Ended> {
    const own = [process.execPath, '--import', path.join(compiled, 'kill-at-sync.js'), program]
    const config = ['--config', path.join(this.folder, 'config.json'), '--output', this.out(name), '--json']
    const all = command ?? [...before, ...own, 'run', ...words, ...config]
    const { PATH = '' } = process.env
    const env = { PATH, HOME: path.join(this.folder, 'nobody'), UV_THREADPOOL_SIZE: '1' }
    const [file = '', ...args] = all
    const child = spawn(file, args, {
      cwd: this.folder,
      env: killAt === undefined ? env : { ...env, KILL_AT_SYNC: String(killAt) },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    return new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr, done: doneIn(stdout) }))
    })
  }

  begin(name: string, how?: RunHow): Promise<Ended> {
    return this.run(name, ['plan.json', '--resume'], how)
  }
  /** The plan is named again only when the journal does not have it. */
  resume(name: string, how?: RunHow): Promise<Ended> {
    return this.run(name, [...(this.hasPlan(name) ? [] : ['plan.json']), '--resume'], how)
  }
  /** With one step changed, on which only the last one depends. */
  reuse(name: string, how?: RunHow): Promise<Ended> {
    return this.run(name, ['changed.json', '--reuse'], how)
  }

  private hasPlan(name: string): boolean {
    const file = path.join(this.out(name), 'journal.jsonl')
    return existsSync(file) && journalPlan(readJournal(readFileSync(file)).records).whole
  }

  /** Steps whose result is in the journal: `[id, call]`. */
  journalled(name: string): string[] {
    const file = path.join(this.out(name), 'journal.jsonl')
    if (!existsSync(file)) return []
    const { records } = readJournal(readFileSync(file))
    return records.flatMap((record) => ('x' in record && record.e === 'succeeded' ? [idIn(record.x ?? '')] : []))
  }

  /** Everything that a finished run leaves, but for its times, its journal and its lock. */
  leavings(name: string): Record<string, string> {
    const folder = this.out(name)
    const outputs = readdirSync(path.join(folder, 'step_outputs')).sort()
    const files = outputs.map((file) => [file, readFileSync(path.join(folder, 'step_outputs', file), 'utf8')] as const)
    const record = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as unknown
    return { ...Object.fromEntries(files), 'run.json': JSON.stringify(withoutTimes(record), null, 1) }
  }
}

export interface RunHow {
  readonly killAt?: number | undefined
  readonly before?: readonly string[]
  readonly command?: readonly string[]
}

function idIn(answer: string): string {
  return /^The answer of ([\w-]+):/.exec(answer)?.[1] ?? '?'
}

/** The last line of a killed process may be cut. */
function doneIn(stdout: string): string[] {
  return stdout.split('\n').flatMap((line) => {
    const id = /^\{"type":"done",.*?"step":"([\w[\]-]+)"/.exec(line)?.[1]
    // What its parts have answered is joined, not called.
    return id === undefined || id === 'each' ? [] : [id.replace(/[[\]]/g, '')]
  })
}

/** Times, and what follows from them: rates of reuse, critical paths and numbers of calls (in the order in which answers made steps ready) too. */
const timed =
  /(Ms|At)$|^(speedup|criticalPath|targets|connectionReuseRate|overflowed|waited|p50|p90|p99|max|at)$|^call$/

function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (timed.test(key) ? [] : [[key, withoutTimes(member)]])),
  )
}
