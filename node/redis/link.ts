/**
 * A connection to Redis (or Valkey) as the stores, limits and workers of this folder use it: few methods, so that a client of one's own
 * fits. `connectRedis` makes one over ioredis, an optional peer.
 */
import { createHash } from 'node:crypto'
import { AetherflowError } from '../../bindings/errors.js'
import { redisPlace } from './address.js'
import {
  messageOf,
  noConnection,
  tooLate,
  type ClientListener,
  type RedisArgument,
  type RedisLink,
} from './link-port.js'
import { NodeRedisLink, type NodeRedisClient } from './node-redis.js'

export { messageOf, type RedisArgument, type RedisLink } from './link-port.js'

/** Lua that runs on the server, as one step among those of all clients. */
export interface RedisScript {
  readonly lua: string
  /** Its SHA-1 in hex, by which the server knows it after the first use. */
  readonly sha: string
}

export const redisScript = (lua: string): RedisScript => ({ lua, sha: createHash('sha1').update(lua).digest('hex') })

/** Runs a script by its digest, and sends its text only to a server that does not know it. */
export async function runScript(
  link: RedisLink,
  { lua, sha }: RedisScript,
  keys: readonly string[],
  values: readonly RedisArgument[],
): Promise<unknown> {
  try {
    return await link.send('EVALSHA', sha, keys.length, ...keys, ...values)
  } catch (error) {
    if (!/^NOSCRIPT/.test(messageOf(error))) throw error
    return link.send('EVAL', lua, keys.length, ...keys, ...values)
  }
}

/** What of ioredis is used; a client that is passed in need have no more. */
export interface IoredisClient {
  readonly options: {
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly db?: number | undefined
  }
  readonly status: string
  call(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  callBuffer(command: string, ...values: (string | number | Buffer)[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  duplicate(): IoredisClient
  on(event: string, listener: ClientListener): unknown
  off(event: string, listener: ClientListener): unknown
  connect(): Promise<void>
  disconnect(): void
}

export interface RedisLinkOptions {
  /** Longest wait for a reply, ms. Default 1000. */
  readonly timeoutMs?: number | undefined
  /** Certificates for `rediss:` addresses, as of Node's `tls.connect`. */
  readonly tls?: object | undefined
}

/** A name that ioredis is asked for by, so that no bundler takes it along. */
const wanted: string = 'ioredis'

interface IoredisModule {
  readonly Redis: new (address: string, options: object) => IoredisClient
}

export async function loadIoredis(): Promise<IoredisModule> {
  return import(wanted).then(
    (module: unknown) => module as IoredisModule,
    () => {
      throw new AetherflowError(
        'host.usage',
        'redis',
        'addresses of Redis are reached through a package that is not installed: npm install ioredis; in a program of your own redisLink takes a client of node-redis as well',
      )
    },
  )
}

/**
 * A connection of its own. Resolves before the server has answered: what is sent while it is away rejects at once, and the
 * connection is tried again for ever, at the latest every two seconds. Fails: host.usage.
 */
export async function connectRedis(
  address: string,
  { timeoutMs = 1000, tls }: RedisLinkOptions = {},
): Promise<RedisLink> {
  const { name, address: plain } = redisPlace(address)
  const { Redis } = await loadIoredis()
  const client = new Redis(plain, {
    lazyConnect: true,
    commandTimeout: timeoutMs,
    connectTimeout: Math.max(1000, timeoutMs),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    // A server that is still loading says so in reply to whatever it is sent.
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times: number) => Math.min(2000, 25 * 2 ** Math.min(times, 7)),
    ...(tls === undefined ? {} : { tls }),
  })
  const link = new IoredisLink(client, name, true)
  await link.begin()
  return link
}

/** A link over a client of ioredis or node-redis that is somebody else's: it is used, duplicated to listen, and not closed. */
export function redisLink(client: IoredisClient | NodeRedisClient): RedisLink {
  if (!('callBuffer' in client)) return new NodeRedisLink(client)
  const { host = 'localhost', port = 6379, db = 0 } = client.options
  return new IoredisLink(client, `redis://${host}:${port}/${db}`, false)
}

const nothing = (): void => undefined

class IoredisLink implements RedisLink {
  readonly name: string
  readonly #client: IoredisClient
  readonly #owned: boolean
  readonly #returns = new Set<() => void>()
  #listening: Promise<IoredisClient> | undefined
  readonly #listeners = new Map<string, Set<(message: string) => void>>()
  #closed = false
  /** What the last try to connect came to. */
  #cause: unknown

  constructor(client: IoredisClient, name: string, owned: boolean) {
    this.#client = client
    this.name = name
    this.#owned = owned
    // Anyone who sends hears of it; an event without a listener would end the process.
    client.on('error', (error: unknown) => (this.#cause = error))
    client.on('ready', this.#ready)
  }

  /** Waits for the first connection as long as one try takes. */
  async begin(): Promise<void> {
    await this.#client.connect().catch(nothing)
  }

  readonly #ready = (): void => {
    this.#cause = undefined
    for (const listener of [...this.#returns]) listener()
  }

  send(command: string, ...values: readonly RedisArgument[]): Promise<unknown> {
    return this.#inOurWords(this.#client.call(command, ...values.map(sendable)))
  }

  sendForBytes(command: string, ...values: readonly RedisArgument[]): Promise<unknown> {
    return this.#inOurWords(this.#client.callBuffer(command, ...values.map(sendable)))
  }

  /** What ioredis says of a server that is away is for its own users. */
  #inOurWords(reply: Promise<unknown>): Promise<unknown> {
    return reply.catch((error: unknown) => {
      const message = messageOf(error)
      if (/writeable|Connection is closed|max retries/.test(message)) throw noConnection(this.#cause)
      throw message === 'Command timed out' ? tooLate() : error
    })
  }

  async listen(channel: string, listener: (message: string) => void): Promise<() => Promise<void>> {
    this.#listening ??= this.#openListening()
    const client = await this.#listening
    const known = this.#listeners.get(channel)
    const listeners = known ?? new Set()
    listeners.add(listener)
    this.#listeners.set(channel, listeners)
    // It is subscribed again by itself whenever the connection returns.
    if (known === undefined)
      await this.#inOurWords(client.subscribe(channel)).catch((error: unknown) => {
        // Anyone who listens next tries again.
        if (this.#listeners.get(channel) === listeners) this.#listeners.delete(channel)
        throw error
      })
    return async () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return
      this.#listeners.delete(channel)
      await client.unsubscribe(channel).catch(nothing)
    }
  }

  async #openListening(): Promise<IoredisClient> {
    const client = this.#client.duplicate()
    client.on('error', nothing)
    client.on('ready', this.#ready)
    client.on('message', (channel: string, message: string) => {
      for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(message)
    })
    if (client.status === 'wait') await client.connect().catch(nothing)
    return client
  }

  onReturn(listener: () => void): () => void {
    this.#returns.add(listener)
    return () => void this.#returns.delete(listener)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#client.off('ready', this.#ready)
    this.#returns.clear()
    const listening = await this.#listening?.catch(() => undefined)
    listening?.disconnect()
    if (this.#owned) this.#client.disconnect()
  }
}

const sendable = (value: RedisArgument): string | number | Buffer =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
