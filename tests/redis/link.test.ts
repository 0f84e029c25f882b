/** Connections: clients of ioredis and of node-redis, a server with TLS and a password, prefixes that share nothing. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { createClient } from '@redis/client'
import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { runPlan } from '../../node/index.js'
import {
  connectRedis,
  RedisAuthority,
  RedisBook,
  RedisCacheStore,
  redisLink,
  RedisRunStore,
  RunOwner,
  type RedisLink,
} from '../../node/redis/index.js'
import { cacheStoreContract } from '../contract/cache-store.js'
import { runStoreContract } from '../contract/run-store.js'
import { projectPath } from '../fixtures/paths.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import { freePort, freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(30_000)

const steps = diamond().steps.map(({ id }) => id)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))

withRedis('clients that are passed in', () => {
  const server = new RedisServer()
  let own: RedisLink
  let closeClient = (): void => undefined
  beforeAll(async () => {
    await server.start()
    const client = createClient({ url: server.address })
    await client.connect()
    closeClient = () => client.destroy()
    own = redisLink(client)
  })
  afterAll(async () => {
    await own.close()
    closeClient()
    await server.end()
  })

  runStoreContract('a client of node-redis', () => {
    const prefix = freshPrefix()
    return Promise.resolve({ store: () => new RedisRunStore(own, 'run', { prefix }), end: () => Promise.resolve() })
  })
  cacheStoreContract('a client of node-redis', () => {
    const prefix = freshPrefix()
    return Promise.resolve({
      versions: true,
      store: () => new RedisCacheStore(own, { prefix }),
      end: () => Promise.resolve(),
    })
  })

  test('of ioredis and of node-redis carry the same: runs, limits, news, and neither is closed', async () => {
    const provider = new Answering()
    const config = answeringConfig(await provider.open())
    const client = new Redis(server.address)
    const links = [redisLink(client), own]
    expect(links.map(({ name }) => name)).toEqual([
      `redis://127.0.0.1:${server.port}/0`,
      `redis://127.0.0.1:${server.port}/0`,
    ])
    const prefix = freshPrefix()
    // Submitted over the one, carried out over the other.
    for (const [at, link] of links.entries()) {
      const asking = new RunOwner(links[1 - at]!, { prefix, most: 0 })
      const limits = new RedisAuthority(link, { prefix })
      const owner = new RunOwner(link, { how: { config, limits }, prefix, lookMs: 100 })
      const heard = new Promise((resolve) => void link.listen(`{${prefix}}:run:r${at}:told`, resolve))
      await link.send('PING')
      await asking.submit(`r${at}`, diamond())
      expect(await heard).toBe('{"over":true}')
      expect(await asking.ended(`r${at}`)).toEqual({ outcome: 'ok', outputs: right })
      expect(await limits.groups()).toContainEqual({ name: 'mine', inFlight: 0, waiting: 0, breaker: 'closed' })
      await owner.close()
      await limits.close()
    }
    const book = new RedisBook(own, { prefix })
    expect(await book.money('nobody')).toEqual({ spent: 0, held: 0 })
    await book.close()
    await links[0]!.close()
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
    provider.close()
  })

  test('a client of node-redis whose server is away or slow refuses in plain words, and tells when it is back', async () => {
    const other = new RedisServer()
    await other.start()
    const client = createClient({ url: other.address, socket: { reconnectStrategy: 20 } })
    client.on('error', () => undefined)
    await client.connect()
    const link = redisLink(client)
    await other.kill('SIGSTOP')
    await expect(link.send('PING')).rejects.toThrow('did not answer in time')
    await other.kill('SIGCONT')
    const gone = new Promise((resolve) => client.once('reconnecting', resolve))
    await other.kill()
    await gone
    await expect(link.send('PING')).rejects.toThrow('there is no connection to the server')
    const back = new Promise<void>((resolve) => void link.onReturn(resolve))
    await other.start()
    await back
    expect(await link.send('PING')).toBe('PONG')
    await link.close()
    client.destroy()
    await other.end()
  })
})

withRedis('a server with TLS and a password', () => {
  const file = (name: string): string => projectPath(`tests/fixtures/tls/${name}.pem`)
  const certificate = readFileSync(file('certificate'))
  let server: RedisServer
  let port = 0
  beforeAll(async () => {
    port = await freePort()
    server = new RedisServer(
      ...['--tls-port', String(port), '--tls-cert-file', file('certificate'), '--tls-key-file', file('key')],
      ...['--tls-ca-cert-file', file('certificate'), '--tls-auth-clients', 'no', '--requirepass', 'canary-0123'],
    )
    await server.start()
  })
  afterAll(() => server.end())

  test('is reached by rediss://, with its certificate and password, and not without', async () => {
    const open: RedisLink[] = []
    const at = async (user: string, tls?: object): Promise<RedisLink> => {
      const link = await connectRedis(`rediss://${user}127.0.0.1:${port}/0`, { tls, timeoutMs: 5000 })
      open.push(link)
      return link
    }
    const link = await at(':canary-0123@', { ca: certificate })
    expect(await link.send('PING')).toBe('PONG')
    expect(link.name).toBe(`rediss://127.0.0.1:${port}/0`)
    await expect((await at('', { ca: certificate })).send('PING')).rejects.toThrow('it asks for a password')
    await expect((await at(':canary-4567@', { ca: certificate })).send('PING')).rejects.toThrow(
      'it refuses the user or',
    )
    // Nobody vouches for it.
    await expect((await at(':canary-0123@')).send('PING')).rejects.toThrow(
      'there is no connection to the server: self-signed',
    )
    const provider = new Answering()
    const config = answeringConfig(await provider.open())
    // One run of each prefix: they share nothing.
    for (const prefix of ['a', 'b']) {
      const { outcome } = await runPlan(diamond(), {
        config,
        limits: 'own',
        journal: new RedisRunStore(link, 'r', { prefix }),
      })
      expect(outcome).toBe('ok')
    }
    expect(provider.ledger).toHaveLength(2 * steps.length)
    const names = ((await link.send('KEYS', '*')) as string[]).sort()
    expect(names.map((name) => name.slice(0, 4)).sort()).toEqual(['{a}:', '{a}:', '{b}:', '{b}:'])
    for (const each of open) await each.close()
    provider.close()
  })
})
