/**
 * kill -9 of an owner, a worker and the server, alone and two at once, at seeded moments of a run: the outputs of one process, and a ledger
 * that differs by what was in flight. AETHERFLOW_KILL_SEEDS sets their number (`npm run test:machines`: 60).
 */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import { RunOwner, type RedisLink } from '../../node/redis/index.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

const seeds = Number(process.env['AETHERFLOW_KILL_SEEDS'] ?? 6)
jest.setTimeout(60_000 + seeds * 30_000)

const steps = diamond().steps.map(({ id }) => id)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))
/** What is killed at once; the server comes back, an owner or a worker is followed by another. */
const rounds = [
  ['owner'],
  ['worker'],
  ['server'],
  ['worker', 'server'],
  ['owner', 'worker'],
  ['owner', 'server'],
] as const

withRedis('machines that are killed', () => {
  const server = new RedisServer('--appendonly', 'yes', '--appendfsync', 'always')
  const provider = new Answering()
  let config: ReturnType<typeof answeringConfig>
  let link: RedisLink
  beforeAll(async () => {
    config = answeringConfig(await provider.open())
    await server.start()
    link = await server.link()
  })
  afterEach(() => Machine.killAll())
  afterAll(async () => {
    await link.close()
    await server.end()
    provider.close()
  })

  const prefix = freshPrefix()
  const started = async (kind: 'worker' | 'owner'): Promise<Machine> => {
    const address = `${server.address}?prefix=${prefix}`
    const made =
      kind === 'worker'
        ? new Machine({ kind, address, config, lockMs: 1500, stalledMs: 300 })
        : new Machine({ kind: 'owners', address, prefix, config, leaseMs: 500, lookMs: 100, workers: true })
    await made.until('ready')
    return made
  }
  test(`${seeds} seeded kills: the same outputs, and nothing that was kept is called again`, async () => {
    const asking = new RunOwner(link, { prefix, most: 0 })
    const there = {
      worker: [await started('worker'), await started('worker')],
      owner: [await started('owner'), await started('owner')],
    }
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = seeded(seed)
      const victims = rounds[(seed - 1) % rounds.length]!
      const moment = 1 + Math.floor(random() * (steps.length - 1))
      const words = `seed ${seed}: ${victims.join(' and ')} after ${moment} calls`
      provider.ledger.length = 0
      await asking.submit(`run-${seed}`, diamond())
      await provider.until(() => provider.ledger.length >= moment)
      const lost = victims.map((victim) =>
        victim === 'server' ? server : there[victim].splice(Math.floor(random() * 2), 1)[0]!,
      )
      await Promise.all(lost.map((each) => each.kill()))
      if (lost.includes(server)) await server.start()
      for (const victim of victims) if (victim !== 'server') there[victim].push(await started(victim))
      const { outcome, outputs } = await asking.ended(`run-${seed}`)
      expect({ words, outcome, outputs }).toEqual({ words, outcome: 'ok', outputs: right })
      const calls = steps.map((step) => provider.ledger.filter((called) => called === step).length)
      // Whatever is lost costs a step at most one more call: by another worker, or, where its text was shown already, by the run.
      expect([words, Math.max(...calls) <= 1 + victims.length, calls]).toEqual([words, true, calls])
      // At most three are in flight at once.
      expect([words, provider.ledger.length <= steps.length + 3 * victims.length]).toEqual([words, true])
    }
    expect(await asking.underWay()).toEqual([])
  })
})
