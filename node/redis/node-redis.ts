/** A link over a client of node-redis (`redis` or `@redis/client`, 5 or newer) that its owner has connected. */
import { noConnection, tooLate, type ClientListener, type RedisArgument, type RedisLink } from './link-port.js'

/** What of node-redis is used. */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly options?:
    | {
        readonly url?: string | undefined
        readonly socket?: object | undefined
        readonly database?: number | undefined
      }
    | undefined
  sendCommand(args: readonly (string | Buffer)[], options?: { readonly typeMapping?: object }): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  unsubscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  duplicate(): NodeRedisClient
  connect(): Promise<unknown>
  destroy(): void
  on(event: string, listener: ClientListener): unknown
  off(event: string, listener: ClientListener): unknown
}

/** First bytes of replies, by which the client is told what to make of them: as in the second version of the protocol. */
const [blob, map, set, double] = ['$', '%', '~', ','].map((first) => first.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
]
const plain = { [map]: Array, [set]: Array, [double]: String }
const bytes = { ...plain, [blob]: Buffer }

const nothing = (): void => undefined

export class NodeRedisLink implements RedisLink {
  readonly name: string
  readonly #client: NodeRedisClient
  readonly #timeoutMs: number
  readonly #returns = new Set<() => void>()
  #listening: Promise<NodeRedisClient> | undefined
  /** What the last try to connect came to. */
  #cause: unknown
  readonly #ready = (): void => {
    this.#cause = undefined
    for (const listener of [...this.#returns]) listener()
  }

  /** `timeoutMs`: longest wait for a reply. */
  constructor(client: NodeRedisClient, timeoutMs = 1000) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.name = nameOf(client)
    client.on('error', (error: unknown) => (this.#cause = error))
    client.on('ready', this.#ready)
  }

  send(command: string, ...values: readonly RedisArgument[]): Promise<unknown> {
    return this.#send([command, ...values], plain)
  }

  sendForBytes(command: string, ...values: readonly RedisArgument[]): Promise<unknown> {
    return this.#send([command, ...values], bytes)
  }

  /** What waits for a server that is away would be sent when nobody waits for it any more. */
  async #send(values: readonly RedisArgument[], typeMapping: object): Promise<unknown> {
    if (!this.#client.isReady) throw noConnection(this.#cause)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(tooLate()), this.#timeoutMs)
    })
    const reply = this.#client.sendCommand(values.map(sendable), { typeMapping })
    try {
      return await Promise.race([reply, late])
    } finally {
      clearTimeout(timer)
      reply.catch(nothing)
    }
  }

  async listen(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    this.#listening ??= this.#openListening()
    const client = await this.#listening
    // Of its own: one listener may be handed in twice. It is subscribed again by itself whenever the connection returns.
    const own = (message: string): void => listener(message)
    await client.subscribe(channel, own)
    return async () => void (await client.unsubscribe(channel, own).catch(nothing))
  }

  async #openListening(): Promise<NodeRedisClient> {
    const client = this.#client.duplicate()
    client.on('error', nothing)
    await client.connect()
    client.on('ready', this.#ready)
    return client
  }

  onReturn(listener: () => void): () => void {
    this.#returns.add(listener)
    return () => void this.#returns.delete(listener)
  }

  async close(): Promise<void> {
    this.#client.off('ready', this.#ready)
    this.#returns.clear()
    const listening = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    listening?.destroy()
  }
}

/** Without user and password. */
function nameOf({ options = {} }: NodeRedisClient): string {
  const { host = 'localhost', port = 6379 } = (options.socket ?? {}) as { host?: string; port?: number }
  const url = options.url !== undefined && URL.canParse(options.url) ? new URL(options.url) : undefined
  const place = url === undefined ? `${host}:${port}` : `${url.hostname}:${url.port === '' ? 6379 : url.port}`
  return `redis://${place}/${options.database ?? (url?.pathname.slice(1) || '0')}`
}

function sendable(value: RedisArgument): string | Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return String(value)
}
