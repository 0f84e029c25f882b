/** A provider on loopback that speaks chat completions, and does what the last turn of a conversation tells it to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from '../../node/index.js'

interface Turn {
  readonly role: string
  readonly content: string | readonly { readonly text?: string }[] | null
  readonly tool_calls?: readonly object[]
}

export interface Asked {
  readonly model: string
  readonly messages: readonly Turn[]
  readonly stream?: boolean
  readonly tools?: readonly object[]
  readonly response_format?: { readonly type: string }
  readonly [member: string]: unknown
}

type Script = (asked: Asked, response: ServerResponse, provider: ScriptedProvider) => void | Promise<void>

const usage = { prompt_tokens: 20, completion_tokens: 10, total_tokens: 30 }

/** By the first word of the last turn. */
const scripts: Readonly<Record<string, Script>> = {
  fail: (asked, response) => {
    const status = Number(wordOf(asked, 1))
    const more = status === 429 ? { 'retry-after': '900' } : {}
    response.writeHead(status, { 'content-type': 'application/json', ...more })
    response.end(JSON.stringify({ error: { message: `scripted ${status}`, type: 'x', code: null } }))
  },
  /** The connection breaks after the beginning of the answer. */
  break: async (_asked, response) => {
    begin(response)
    await flushed(response, chunk({ role: 'assistant', content: 'half of' }))
    response.destroy()
  },
  /** Begins to answer, and goes on only when told. */
  hold: async (asked, response, provider) => {
    const { released } = provider
    if (asked.stream === true) begin(response)
    provider.holding.add(response)
    response.once('close', () => provider.left(response))
    provider.arrived()
    if (asked.stream === true) await flushed(response, chunk({ role: 'assistant', content: 'held' }))
    await released
    if (asked.stream === true) finish(response, 'stop')
    else response.end(JSON.stringify(whole('held')))
  },
  /** Holds without a word. */
  silence: async (_asked, response, provider) => {
    const { released } = provider
    provider.holding.add(response)
    response.once('close', () => provider.left(response))
    provider.arrived()
    await released
    response.end(JSON.stringify(whole('late')))
  },
  cut: (asked, response) => answer(asked, response, 'as far as it', 'length'),
}

export class ScriptedProvider {
  readonly asked: Asked[] = []
  /** Responses under way that wait to be released. */
  readonly holding = new Set<ServerResponse>()
  calls = 0
  inFlight = 0
  most = 0
  /** Decides before any script; true: it has answered. */
  before: ((asked: Asked, response: ServerResponse) => boolean) | undefined
  released: Promise<void> = Promise.resolve()
  #release: () => void = () => undefined
  readonly #watchers = new Set<() => void>()
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
    this.hold()
  }

  /** Those that hold from now on wait for `release`. */
  hold(): void {
    this.released = new Promise((resolve) => (this.#release = resolve))
  }

  release(): void {
    this.#release()
    this.hold()
  }

  /** Nobody waits from now on. */
  releaseAll(): void {
    this.#release()
    this.released = Promise.resolve()
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  close(): void {
    this.#release()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  arrived(): void {
    for (const watcher of this.#watchers) watcher()
  }

  left(response: ServerResponse): void {
    this.holding.delete(response)
    for (const watcher of this.#watchers) watcher()
  }

  /** Resolves once so many hold. */
  async holds(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.holding.size !== count) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
      look()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
    const asked = JSON.parse(Buffer.concat(parts).toString()) as Asked
    this.asked.push(asked)
    this.calls += 1
    this.most = Math.max(this.most, (this.inFlight += 1))
    response.once('close', () => (this.inFlight -= 1))
    if (this.before?.(asked, response) === true) return
    const script = scripts[wordOf(asked, 0)]
    if (script !== undefined) return script(asked, response, this)
    return reply(asked, response)
  }
}

/** What of a conversation counts as told: the text of its last turn. */
export function toldBy({ messages }: Asked): string {
  const content = messages.at(-1)?.content ?? ''
  return typeof content === 'string' ? content : content.map(({ text }) => text ?? '').join('')
}

/** The words that count: those in double brackets, as a step's description comes with more around it, or else the first ones. */
function wordOf(asked: Asked, at: number): string {
  const told = toldBy(asked)
  return (/\[\[([^\]]+)\]\]/.exec(told)?.[1] ?? told).split(/\s+/)[at] ?? ''
}

function reply(asked: Asked, response: ServerResponse): void {
  const last = asked.messages.at(-1)
  if (asked.tools !== undefined && last?.role !== 'tool') return callTool(asked, response)
  if (asked.response_format !== undefined) return answer(asked, response, '{"city":"Paris","sights":3}', 'stop')
  if (last?.role === 'tool') return answer(asked, response, `the tool said ${toldBy(asked)}`, 'stop')
  return answer(asked, response, `echo: ${toldBy(asked)}`, 'stop')
}

function answer({ stream }: Asked, response: ServerResponse, text: string, reason: string): void {
  if (stream !== true) {
    response.setHeader('content-type', 'application/json')
    return void response.end(JSON.stringify(whole(text, reason)))
  }
  begin(response)
  for (const piece of text.match(/.{1,5}/gs) ?? []) response.write(chunk({ content: piece }))
  finish(response, reason)
}

/** Arguments in pieces; after the first a delta has neither id nor name. */
function callTool({ stream }: Asked, response: ServerResponse): void {
  const called = { id: 'call_7', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } }
  if (stream !== true) {
    const message = { role: 'assistant', content: null, tool_calls: [called] }
    response.setHeader('content-type', 'application/json')
    return void response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }], usage }))
  }
  begin(response)
  response.write(chunk({ tool_calls: [{ ...called, index: 0, function: { name: 'weather', arguments: '' } }] }))
  response.write(chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }))
  response.write(chunk({ tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] }))
  finish(response, 'tool_calls')
}

const whole = (content: string, reason = 'stop'): object => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: reason }],
  usage,
})

const chunk = (delta: object): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`

const flushed = (response: ServerResponse, text: string): Promise<void> =>
  new Promise((resolve) => void response.write(text, () => resolve()))

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
}

function finish(response: ServerResponse, reason: string): void {
  response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: reason }], usage })}\n\n`)
  response.end('data: [DONE]\n\n')
}

/** The provider as the only one of a configuration: `local`, models `m` (priced) and `cheap`; the others as providers of their own. */
export const configOf = (baseUrl: string, ...others: readonly string[]): Config => ({
  providers: {
    ...Object.fromEntries(
      others.map((id) => [
        id,
        { dialect: 'generic', baseUrl, key: id, default: 'm', models: { m: { in: 1, out: 2 } } },
      ]),
    ),
    local: {
      dialect: 'generic',
      baseUrl,
      keyEnv: null,
      concurrency: 64,
      default: 'm',
      json: 'schema',
      models: { m: { in: 1, out: 2, cached: 1 }, cheap: { in: 0.1, out: 0.2, cached: 0.1 } },
    },
  },
  modes: { build: { rules: [{ name: 'all', use: ['local'], why: 'the only one' }] } },
  retry: { baseMs: 1, capMs: 2, attempts: 2 },
})

/** The tool that the provider calls, and the schema of what it answers when it is asked for JSON. */
export const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
}

export const citySchema = {
  type: 'object',
  properties: { city: { type: 'string' }, sights: { type: 'integer' } },
  required: ['city', 'sights'],
  additionalProperties: false,
} as const
