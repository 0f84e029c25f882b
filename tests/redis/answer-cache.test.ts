/** Runs and programs over a cache on a server: a server that is away stops none of them, and addresses never show their password. */
import path from 'node:path'
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { openAnalyzer, runPlan, memoize, type RunEvent } from '../../node/index.js'
import { redisPlace } from '../../node/redis/address.js'
import { connectRedis, RedisAnswerCache, RedisCacheStore, RedisValues, redisLink } from '../../node/redis/index.js'
import { loadIoredis, type RedisLink } from '../../node/redis/link.js'
import { root } from '../checks/sources.js'
import { aetherflow } from '../node/commands.js'
import { scratch } from '../node/cli-process.js'
import { freePort, freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const plan = {
  task_id: 'cached',
  description: '',
  steps: [
    { id: 'a', type: 'analysis', description: 'list the rivers of Norway', dependencies: [] },
    { id: 'b', type: 'analysis', description: 'describe mountains and glaciers', dependencies: ['a'] },
  ],
}
const password = 'canary-of-a-password'
const tls = path.join(root, 'tests/fixtures/tls')

withRedis('a cache of several programs', () => {
  let server: RedisServer
  let link: RedisLink
  let tlsPort = 0
  beforeAll(async () => {
    tlsPort = await freePort()
    const certificates = ['--tls-cert-file', `${tls}/certificate.pem`, '--tls-key-file', `${tls}/key.pem`]
    const secure = ['--tls-port', String(tlsPort), ...certificates, '--tls-auth-clients', 'no']
    server = new RedisServer('--requirepass', password, ...secure)
    await server.start()
    link = await connectRedis(address())
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })
  const address = (more = ''): string => `redis://:${password}@127.0.0.1:${server.port}/0${more}`

  const calls = async (cache: RedisAnswerCache): Promise<{ events: RunEvent[]; calls: number; outcome: string }> => {
    const events: RunEvent[] = []
    const { outcome } = await runPlan(plan, {
      ...{ simulate: 'instant', config: {}, cache, cacheModes: { analysis: 'exact' } },
      onEvent: (event) => events.push(event),
    })
    return { events, outcome, calls: events.filter(({ type }) => type === 'call').length }
  }

  test('what one run was answered, the next takes from another connection', async () => {
    const prefix = freshPrefix()
    const [one, other] = await Promise.all([0, 1].map(() => RedisAnswerCache.open(address(`?prefix=${prefix}`))))
    expect((await calls(one!)).calls).toBe(2)
    expect((await calls(other!)).calls).toBe(0)
    await one!.close()
    await other!.close()
  })

  test('a server that is away at the start is said, the run goes through, and later ones use it', async () => {
    const problems: string[] = []
    await server.kill()
    let told = (): void => undefined
    const there = new Promise<void>((resolve) => (told = resolve))
    const cache = await RedisAnswerCache.open(address(`?prefix=${freshPrefix()}`), {
      onProblem: (problem) => void (problems.push(problem) === 2 && told()),
    })
    expect(problems).toHaveLength(1)
    const without = await calls(cache)
    expect([without.outcome, without.calls]).toEqual(['ok', 2])
    expect(
      without.events.filter((event) => event.type === 'warning' && event.code === 'cache.store_failed'),
    ).not.toEqual([])
    expect(JSON.stringify([problems, without.events])).not.toContain(password)
    const back = new Promise<void>((resolve) => void link.onReturn(resolve))
    await server.start()
    await Promise.all([back, there])
    expect(problems[1]).toContain('used from now on')
    expect((await calls(cache)).calls).toBe(2)
    expect((await calls(cache)).calls).toBe(0)
    await cache.close()
  })

  test('the command line keeps answers on a server, lists them, and shows no password', async () => {
    const { folder, remove } = scratch()
    const where = address(`?prefix=${freshPrefix()}`)
    const words = ['run', path.join(root, 'examples/plans/five-files.json'), '--simulate', 'instant', '--no-output']
    const first = await aetherflow([...words, '--cache', where, '--cache-model', 'lexical'], '', { cwd: folder })
    const second = await aetherflow([...words, '--cache', where, '--cache-model', 'lexical', '--json'], '', {
      cwd: folder,
    })
    const stats = await aetherflow(['cache', 'stats', '--cache', where, '--json'], '', { cwd: folder })
    remove()
    expect([first.code, second.code, stats.code]).toEqual([0, 0, 0])
    expect(first.stderr).toContain(`cache in redis://127.0.0.1:${server.port}/0?prefix=`)
    expect(second.stdout.split('\n').filter((line) => line.includes('"type":"call"'))).toEqual([])
    expect((JSON.parse(stats.stdout) as { entries: number }).entries).toBeGreaterThan(0)
    expect(JSON.stringify([first, second, stats])).not.toContain(password)
  })

  test('analyses and memoized values are shared too', async () => {
    const prefix = freshPrefix()
    const question = {
      session: 's',
      history: [{ role: 'user', content: 'hello' }],
      schema: { type: 'object' },
    } as const
    const open = () => openAnalyzer({ simulate: 'instant', config: {}, store: new RedisCacheStore(link, { prefix }) })
    const [one, other] = [await open(), await open()]
    expect((await one.analyze(question)).from).not.toBe('cache')
    expect((await other.analyze(question)).from).toBe('cache')
    await one.close()
    await other.close()

    const fetched: string[] = []
    const shared = new RedisValues(link, { name: 'prompts', prefix })
    const memo = () => memoize((of: string) => Promise.resolve({ of: fetched.push(of) }), { shared })
    expect(await memo()('a')).toEqual({ of: 1 })
    expect(await memo()('a')).toEqual({ of: 1 })
    await link.send('FLUSHALL')
    expect(await memo()('a')).toEqual({ of: 2 })
  })

  test('a client of one’s own serves, also over TLS, and stays open', async () => {
    const { Redis } = await loadIoredis()
    const secure = { password, tls: { ca: '', rejectUnauthorized: false } }
    const client = new Redis(`rediss://127.0.0.1:${tlsPort}/0`, { ...secure, lazyConnect: true })
    await client.connect()
    const own = redisLink(client)
    const store = new RedisCacheStore(own, { prefix: freshPrefix(), owned: true })
    await store.open()
    await store.close()
    expect(await client.call('PING')).toBe('PONG')
    client.disconnect()
    const strict = await connectRedis(`rediss://:${password}@127.0.0.1:${tlsPort}/0`)
    await expect(strict.send('PING')).rejects.toThrow()
    await strict.close()
  })
})

test('addresses show neither user nor password, and what is none is refused without being shown', () => {
  expect(redisPlace('rediss://me:secret@cache.example:7000/3?prefix=team')).toEqual({
    address: 'rediss://me:secret@cache.example:7000/3',
    name: 'rediss://cache.example:7000/3?prefix=team',
    prefix: 'team',
  })
  for (const wrong of ['redis://', 'http://secret@x', 'redis://secret@x?prefix=a b', 'redis://secret@x?prefix={y}', ''])
    expect(() => redisPlace(wrong)).toThrow(expect.not.objectContaining({ message: expect.stringContaining('secret') }))
})
