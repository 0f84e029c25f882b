/**
 * A provider on a loopback socket that does what it is told, request by request, and writes down what happened.
 *
 *   const server = await FaultServer.start()
 *   server.script([{ step: 'a', times: 2, fault: refusal(503) }])    what no rule matches is answered
 *   …  base URL: server.at('alpha')                                  the first part of the path names the provider
 *   server.ledger.of('a')
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../../bindings/ports.js'
import { systemClock } from '../../web/standard/clock.js'
import { digestOf, Ledger, type Entry } from './ledger.js'
import { answer, tokensOf, type Asked, type Fault, type Reply } from './wire.js'

/** Which requests a fault is for: all members that are given must match. */
export interface Rule {
  readonly order?: number
  readonly step?: string
  readonly provider?: string
  readonly idempotencyKey?: string
  /** The how-manieth request of its step, from 0. */
  readonly earlier?: number
  /** How often the rule applies. Default: always. */
  readonly times?: number
  /** For the ledger. */
  readonly name?: string
  readonly fault: Fault
}

/** Marks a step's prompt, so that the server knows whose request it is. */
export const mark = (step: string): string => `#step=${step}#`

export class FaultServer {
  readonly ledger = new Ledger()
  /** Pieces of body that were written. */
  written = 0
  /** Requests that are being answered and do not wait for the clock or for ever. */
  busy = 0
  readonly #clock: Clock
  readonly #http: Server
  readonly #connections = new WeakMap<Socket, number>()
  readonly #watchers = new Set<() => void>()
  #rules: { rule: Rule; left: number }[] = []
  #connected = 0
  #seen = 0

  private constructor(clock: Clock) {
    this.#clock = clock
    this.#http = createServer((incoming, reply) => void this.#serve(incoming, reply))
    // A client's keep-alive is its own affair: no connection is closed here for its age.
    this.#http.keepAliveTimeout = 0
    this.#http.on('connection', (socket) => {
      this.#connections.set(socket, ++this.#connected)
      socket.setNoDelay(true)
      // Clients reset connections here all the time.
      socket.on('error', () => undefined)
    })
  }

  static async start(clock: Clock = systemClock): Promise<FaultServer> {
    const server = new FaultServer(clock)
    server.#http.listen(0, '127.0.0.1')
    await once(server.#http, 'listening')
    return server
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`
  }
  get connections(): number {
    return this.#connected
  }
  /** The base URL of a provider. */
  at(provider: string): string {
    return `${this.origin}/${provider}`
  }

  /** Replaces the rules. The first that matches counts. */
  script(rules: readonly Rule[]): void {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Infinity }))
  }

  /** Resolves when the ledger fulfils `condition`; it is looked at whenever something was written down. */
  until(condition: (ledger: Ledger) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition(this.ledger)) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
      look()
    })
  }

  async close(): Promise<void> {
    const closed = once(this.#http, 'close')
    this.#http.close()
    this.#http.closeAllConnections()
    await closed
  }

  async #serve(incoming: IncomingMessage, reply: ServerResponse): Promise<void> {
    this.busy++
    try {
      const parts: Buffer[] = []
      for await (const part of incoming) parts.push(part as Buffer)
      const entry = this.#enter(incoming, Buffer.concat(parts).toString('utf8'))
      reply.on('close', () => this.#over(entry, !reply.writableFinished))
      const { name, fault } = this.#choose(entry)
      entry.fault = name ?? 'answer'
      await this.#play(fault({ ...entry, origin: this.origin }), entry, reply)
    } catch {
      // The client left while its request was read or answered: nobody is there to be told.
      reply.destroy()
    } finally {
      this.busy--
    }
  }

  #choose(entry: Entry): { name?: string; fault: Fault } {
    const names = ['order', 'step', 'provider', 'idempotencyKey', 'earlier'] as const
    const found = this.#rules.find(
      ({ rule, left }) => left > 0 && names.every((name) => rule[name] === undefined || rule[name] === entry[name]),
    )
    if (found === undefined) return { fault: answer() }
    found.left -= 1
    return found.rule
  }

  #enter(incoming: IncomingMessage, text: string): Entry {
    const { headers, url = '' } = incoming
    const asked = readRequest(text)
    const step = /#step=([^#]*)#/.exec(asked.prompt)?.[1] ?? ''
    const entry: Entry = {
      ...asked,
      order: this.ledger.entries.length,
      at: this.#clock.now(),
      provider: url.split('/')[1] ?? '',
      path: url,
      step,
      earlier: this.ledger.of(step).length,
      idempotencyKey: String(headers['idempotency-key'] ?? ''),
      credential: digestOf(String(headers.authorization ?? headers['x-goog-api-key'] ?? '')),
      connection: this.#connections.get(incoming.socket) ?? 0,
      ...{ status: 0, fault: '', sentBytes: 0, sentTokens: 0, committed: false, left: false, endedAt: undefined },
      ...{ began: this.#seen++, ended: Infinity },
    }
    this.ledger.entries.push(entry)
    this.#tell()
    return entry
  }

  async #play(reply: Reply, entry: Entry, wire: ServerResponse): Promise<void> {
    const { status = 200, headers = {}, parts = [], ending = 'end', untilClose = false } = reply
    const socket = wire.socket
    entry.committed = reply.committed ?? (reply.instead === undefined && status < 300)
    if (reply.instead === 'silence') return
    if (reply.delayMs !== undefined) await this.#pause(reply.delayMs)
    if (reply.instead !== undefined) {
      if (reply.instead === 'reset') socket?.resetAndDestroy()
      else if (reply.instead === 'noise') socket?.end('220 mail.example ESMTP ready\r\n\r\n')
      else socket?.destroy()
      return this.#over(entry, false)
    }
    if (untilClose) {
      wire.useChunkedEncodingByDefault = false
      wire.shouldKeepAlive = false
    }
    if (reply.hints === true) wire.writeEarlyHints({ link: '</x>; rel=preload' })
    wire.writeHead(status, headers)
    entry.status = status
    wire.flushHeaders()
    entry.sentTokens = reply.tokens ?? 0
    // With the last piece comes the end: a client that has it may send its next request at once.
    const last = ending === 'end' && typeof parts.at(-1) === 'string' ? parts.length - 1 : parts.length
    for (const part of parts.slice(0, last)) {
      if (wire.destroyed) return
      await this.#send(part, entry, wire)
    }
    const rest = parts[last] as string | undefined
    entry.sentBytes += rest === undefined ? 0 : Buffer.byteLength(rest)
    if (ending === 'end') wire.end(rest)
    if (ending === 'fin') socket?.end()
    if (ending === 'reset') socket?.resetAndDestroy()
    // Broken off by this side: the reply is over now, whenever the socket says so.
    if (ending === 'fin' || ending === 'reset') this.#over(entry, false)
  }

  async #send(part: Exclude<Reply['parts'], undefined>[number], entry: Entry, wire: ServerResponse): Promise<void> {
    if (typeof part === 'object' && 'pauseMs' in part) return this.#pause(part.pauseMs)
    wire.write(part)
    this.written++
    entry.sentBytes += Buffer.byteLength(part)
    // Three turns of the event loop keep two writes from being joined into one packet.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    // It may have drained meanwhile.
    if (wire.writableNeedDrain && !wire.destroyed) await Promise.race([once(wire, 'drain'), once(wire, 'close')])
  }

  async #pause(ms: number): Promise<void> {
    this.busy--
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve))
    this.busy++
  }

  #over(entry: Entry, left: boolean): void {
    if (entry.endedAt !== undefined) return
    entry.left = left
    entry.endedAt = this.#clock.now()
    entry.ended = this.#seen++
    this.#tell()
  }

  #tell(): void {
    for (const look of [...this.#watchers]) look()
  }
}

type Request = Pick<Asked, 'model' | 'stream' | 'promptTokens' | 'prefix'> & {
  readonly maxTokens: number
  readonly format: string
  readonly prompt: string
}

/** Chat completions and Gemini's requests, as far as the ledger needs them; anything else counts as an empty request. */
function readRequest(text: string): Request {
  type Message = { role?: string; content?: string; prefix?: boolean }
  type Body = {
    model?: string
    messages?: Message[]
    stream?: boolean
    max_tokens?: number
    max_completion_tokens?: number
    response_format?: { type?: string }
  }
  let body: Body = {}
  try {
    body = JSON.parse(text) as Body
  } catch {
    // GET requests have no body.
  }
  const last = body.messages?.at(-1)
  return {
    model: body.model ?? '',
    stream: body.stream === true,
    promptTokens: tokensOf(body.messages?.map(({ content }) => content ?? '').join('') ?? ''),
    prefix: last?.role === 'assistant' ? last.content : undefined,
    maxTokens: body.max_tokens ?? body.max_completion_tokens ?? 0,
    format: body.response_format?.type ?? '',
    prompt: body.messages?.map(({ content }) => content ?? '').join('\n') ?? text,
  }
}
