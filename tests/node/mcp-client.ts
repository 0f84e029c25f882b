/** The real server as a process, and the official client of either era on it. Simulated providers, and a state folder of its own. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { program } from './cli-process.js'

export const eras = ['legacy', 'modern'] as const
export type Era = (typeof eras)[number]

export interface Answer {
  readonly text: string
  readonly isError: boolean
}
export type Call = (name: string, given?: Record<string, unknown>, options?: CallOptions) => Promise<Answer>
export interface CallOptions {
  readonly onprogress?: (progress: { progress: number; total?: number | undefined }) => void
  readonly signal?: AbortSignal
}

/** A root, a state folder and a profile: `groq` answers after an hour, `mistral` after two seconds, the others at once. */
export class Place {
  readonly #folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'aetherflow-mcp-')))
  readonly root = path.join(this.#folder, 'root')
  readonly state = path.join(this.#folder, 'state')
  readonly profile = path.join(this.#folder, 'profile.json')

  constructor() {
    mkdirSync(this.root)
    this.play({ groq: 3_600_000, mistral: 2000 })
  }

  /** ms until the first token, by provider. */
  play(firstTokenMs: Readonly<Record<string, number>>): void {
    const quick = { tokensPerSecond: 1_000_000, jitter: 0 }
    const slow = Object.entries(firstTokenMs).map(([id, ms]) => [id, { ...quick, firstTokenMs: ms }])
    const providers = { '*': { ...quick, firstTokenMs: 0 }, ...Object.fromEntries(slow) }
    writeFileSync(this.profile, JSON.stringify({ name: 'paced', answerTokens: 60, auditIssueShare: 0, providers }))
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: path.join(this.#folder, 'home'),
      XDG_STATE_HOME: this.state,
      XDG_CACHE_HOME: path.join(this.#folder, 'cache'),
    }
  }

  /** Simulated, unless a configuration is named. */
  words(...more: readonly string[]): string[] {
    const played = more.includes('--config') ? [] : [`--simulate=${this.profile}`]
    return [program, 'mcp', '--root', this.root, ...played, ...more]
  }

  write(name: string, text: string): string {
    const file = path.join(this.#folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  }

  /** The process that runs it. */
  runner(id: string): number {
    const file = path.join(this.state, 'aetherflow/runs', `${id}.json`)
    return (JSON.parse(readFileSync(file, 'utf8')) as { runner: { pid: number } }).runner.pid
  }

  /** Ends the runs that are at work, too: they need nobody. */
  remove(): void {
    const runs = path.join(this.state, 'aetherflow/runs')
    for (const name of existsSync(runs) ? readdirSync(runs) : [])
      try {
        process.kill(this.runner(name.replace('.json', '')), 'SIGKILL')
      } catch {
        // It has ended.
      }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export interface Connection {
  readonly client: Client
  readonly call: Call
  /** Of the server; undefined over HTTP. */
  readonly pid: number | undefined
  close(): Promise<void>
}

const modeOf = (era: Era) => (era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' })

function connection(client: Client, pid?: number): Connection {
  const call: Call = async (name, given = {}, options = {}) => {
    const result = await client.callTool({ name, arguments: given }, options)
    const parts = result.content.map((part) => (part.type === 'text' ? part.text : ''))
    return { text: parts.join(''), isError: result.isError === true }
  }
  return { client, call, pid, close: () => client.close() }
}

/** A transport of another class asks for the era on its own process instead of starting one more for that. */
class OneProcess extends StdioClientTransport {}

export async function overStdio(place: Place, era: Era, ...more: readonly string[]): Promise<Connection> {
  const transport = new OneProcess({
    command: process.execPath,
    args: place.words(...more),
    env: place.env,
    stderr: 'ignore',
  })
  const client = new Client({ name: `Test ${era}`, version: '1' }, { versionNegotiation: { mode: modeOf(era) } })
  await client.connect(transport)
  return connection(client, transport.pid ?? undefined)
}

export async function overHttp(url: string, token: string, era: Era): Promise<Connection> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  })
  const client = new Client({ name: `Test ${era}`, version: '1' }, { versionNegotiation: { mode: modeOf(era) } })
  await client.connect(transport)
  return connection(client)
}

export const idOf = ({ text }: Answer): string => /\brun (r[0-9a-z]{25})\b/.exec(text)?.[1] ?? ''

/** The answer once the run is at work no more. */
export async function ended(call: Call, id: string): Promise<Answer> {
  for (;;) {
    const found = await call('run_status', { run_id: id, wait_ms: 20_000 })
    if (!/is running/.test(found.text)) return found
  }
}

export const step = (id: string, more: object = {}) => ({
  id,
  type: 'analysis',
  description: `Say something about ${id}`,
  provider: 'gemini',
  ...more,
})
export const planOf = (...steps: object[]) => ({ task_id: 't', description: 'd', steps })
