/** Limits that several processes share: none is exceeded at the provider, what a dead process held comes back, and a dead server stops calls. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import type { GroupLimits } from '../../bindings/ports.js'
import type { Config } from '../../node/index.js'
import { RedisAuthority } from '../../node/redis/authority.js'
import type { RedisLink } from '../../node/redis/link.js'
import { aetherflow } from '../node/commands.js'
import { scratch } from '../node/cli-process.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

/** A provider on loopback that knows how many calls it has and has had. */
class Provider {
  calls = 0
  most = 0
  holds = false
  #now = 0
  readonly #held: ServerResponse[] = []
  #arrived: (() => void)[] = []
  readonly #server = createServer((request, response) => {
    request.resume()
    this.calls += 1
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    for (const look of this.#arrived.splice(0)) look()
    response.on('close', () => (this.#now -= 1))
    if (this.holds) this.#held.push(response)
    // Long enough that calls of several processes meet.
    else setTimeout(() => this.#answer(response), 10)
  })

  #answer(response: ServerResponse): void {
    const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }]
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ choices, usage: { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 } }))
  }
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }
  async untilCalls(count: number): Promise<void> {
    while (this.calls < count) await new Promise<void>((resolve) => this.#arrived.push(resolve))
  }
  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

const plan = (task: string, steps: number) => ({
  task_id: task,
  description: 'd',
  steps: Array.from({ length: steps }, (_, i) => ({
    ...{ id: `s${i}`, type: 'testing', description: `Say done ${task} ${i}.`, complexity: 0.5 },
    ...{ estimated_tokens: 20, dependencies: [] },
  })),
})

function config(baseUrl: string, concurrency: number, requestsPerMinute?: number): Config {
  const models = { m: { in: 1, cached: 1, out: 1, firstTokenMs: 10, tokensPerSecond: 1000, maxOut: 512 } }
  const builtIn = ['deepseek', 'gemini', 'groq', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'AETHERFLOW_UNSET' }])
  const own = { dialect: 'generic', baseUrl, key: 'k-0123456789', concurrency, json: 'none', default: 'm', models }
  return {
    providers: { ...Object.fromEntries(builtIn), mine: own },
    modes: { build: { rules: [{ name: 'all', use: ['mine'], why: 'it is there' }] } },
    ...(requestsPerMinute === undefined ? {} : { limits: { mine: { requestsPerMinute } } }),
  } as Config
}

const group = (more: Partial<GroupLimits> = {}): GroupLimits => ({
  ...{ group: 'g', places: 1, limits: {}, breakerFailures: 5, openMs: 10_000, maxOpenMs: 60_000, models: [0] },
  ...more,
})
const question = { call: 1, group: 0, tokens: 10, priority: 0 }

withRedis('limits of several processes', () => {
  const server = new RedisServer()
  let provider = new Provider()
  let url = ''
  let link: RedisLink
  const authorities: RedisAuthority[] = []
  beforeAll(async () => {
    await server.start()
    link = await server.link({ timeoutMs: 10_000 })
  })
  afterEach(async () => {
    await Machine.killAll()
    for (const authority of authorities.splice(0)) await authority.close()
    provider.close()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })
  const opened = async (): Promise<void> => {
    provider = new Provider()
    url = await provider.open()
  }
  const order = (prefix: string, task: string, steps: number, settings: Config, leaseMs = 15_000) =>
    ({ kind: 'run', address: server.address, prefix, leaseMs, plan: plan(task, steps), config: settings }) as const
  const authority = (prefix: string, more: { leaseMs?: number; onProblem?: (words: string) => void } = {}) => {
    const made = new RedisAuthority(link, { prefix, ...more })
    authorities.push(made)
    return made
  }

  test('four processes at full speed never have more calls at once than the limit, and no window is exceeded', async () => {
    await opened()
    const { folder, remove } = scratch()
    const prefix = freshPrefix()
    const machines = [0, 1, 2, 3].map(
      (at) => new Machine({ ...order(prefix, `t${at}`, 12, config(url, 3)), journal: `${folder}/${at}` }),
    )
    const ends = await Promise.all(machines.map((machine) => machine.until('ended')))
    expect(ends.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect([provider.most, provider.calls]).toEqual([3, 48])
    expect(machines.flatMap(({ told }) => told).filter(({ type }) => type === 'refused')).not.toEqual([])
    for (const at of [0, 1, 2, 3]) expect((await aetherflow(['replay', `${folder}/${at}`])).code).toBe(0)
    remove()

    // As many calls as the window of a minute has, and then each process is refused.
    provider.close()
    await opened()
    const windowed = freshPrefix()
    machines.forEach((machine, at) => machine.send(order(windowed, `w${at}`, 20, config(url, 100, 25))))
    await Promise.all([provider.untilCalls(25), ...machines.map((machine) => machine.until('refused', 'ended'))])
    expect(provider.calls).toBe(25)
  })

  test('the places of a process that is killed come back after its lease', async () => {
    await opened()
    const prefix = freshPrefix()
    provider.holds = true
    const dead = new Machine(order(prefix, 'dead', 5, config(url, 2), 400))
    await provider.untilCalls(2)
    const next = new Machine(order(prefix, 'next', 2, config(url, 2), 400))
    await next.until('refused')
    provider.holds = false
    await dead.kill()
    expect((await next.until('ended')).outcome).toBe('ok')
    expect([provider.calls, provider.most]).toEqual([4, 2])
  })

  test('room in one process is told to another, and a member that leaves gives back what it held', async () => {
    const prefix = freshPrefix()
    const [one, other] = [authority(prefix), authority(prefix)]
    const first = one.join([group()], () => undefined)
    const told = new Promise<void>((resolve) => {
      const second = other.join([group()], () => void Promise.resolve(second.ask(question)).then(() => resolve()))
      void Promise.resolve(first.ask(question)).then(async () => {
        expect(await second.ask({ ...question, call: 2 })).toEqual({ why: 'places' })
        expect(await one.groups()).toEqual([{ name: 'g', inFlight: 1, waiting: 1, breaker: 'closed' }])
        first.leave()
      })
    })
    await told
    expect(await other.groups()).toMatchObject([{ inFlight: 1, waiting: 0 }])
  })

  test.each([
    ['is full', 'maxmemory', '1', '0'],
    ['only reads', 'min-replicas-to-write', '1', '0'],
  ])(
    'a server that %s lets no call leave, changes nothing, and is told of ends afterwards',
    async (_, name, bad, good) => {
      const limits = authority(freshPrefix(), { leaseMs: 300 })
      let freed = (): void => undefined
      const room = new Promise<void>((resolve) => (freed = resolve))
      const member = limits.join([group({ places: 1 })], () => freed())
      expect(await member.ask(question)).toBeUndefined()
      await link.send('CONFIG', 'SET', name, bad)
      expect(await member.ask({ ...question, call: 2 })).toEqual({ why: 'cooldown', waitMs: 1000 })
      member.settle(1, { tokens: 5, sent: true })
      await link.send('PING')
      await link.send('CONFIG', 'SET', name, good)
      // The end of the call is told again with the next sign of life.
      let refused = await member.ask({ ...question, call: 3 })
      if (refused !== undefined) {
        await room
        refused = await member.ask({ ...question, call: 3 })
      }
      expect(refused).toBeUndefined()
    },
  )

  test('while the server is away no call leaves; on one that has lost its memory groups stay shut for a minute', async () => {
    const problems: string[] = []
    const prefix = freshPrefix()
    let told = (): void => undefined
    const again = new Promise<void>((resolve) => (told = resolve))
    const onProblem = (words: string): void => void (problems.push(words) === 2 && told())
    const limits = authority(prefix, { leaseMs: 200, onProblem })
    const member = limits.join([group({ places: 2 })], () => undefined)
    expect(await member.ask(question)).toBeUndefined()
    await server.kill()
    expect(await member.ask({ ...question, call: 2 })).toEqual({ why: 'cooldown', waitMs: 1000 })
    expect(problems).toHaveLength(1)
    const back = new Promise<void>((resolve) => void link.onReturn(resolve))
    await server.start()
    await Promise.all([back, again])
    // The first that asks may be the one by whom it is noticed that the server knows nobody any more.
    let refused = await member.ask({ ...question, call: 3 })
    if (refused?.waitMs === 1000) refused = await member.ask({ ...question, call: 4 })
    expect(refused?.why).toBe('cooldown')
    expect(refused?.waitMs).toBeGreaterThan(50_000)
    expect(problems).toHaveLength(2)
    // The call that was in flight counts again.
    expect(await limits.groups()).toMatchObject([{ inFlight: 1 }])
    member.settle(1, { tokens: 5, sent: true })
    await limits.close()
  })
})
