/** Clocks of machines that differ by hours: leases, limits and the order of runs go by the server's clock alone. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { connectRedis, RunOwner, workersAt } from '../../node/redis/index.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const steps = diamond().steps.map(({ id }) => id)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))

/** A library that tells a process another time of day; undefined if there is none. */
function fakeTime(): string | undefined {
  const folders = existsSync('/usr/lib')
    ? ['/usr/lib', ...readdirSync('/usr/lib').map((name) => `/usr/lib/${name}`)]
    : []
  return folders.map((folder) => path.join(folder, 'faketime/libfaketimeMT.so.1')).find((file) => existsSync(file))
}

const library = fakeTime()
if (library === undefined) console.warn('skipped: no libfaketime is installed (npm run setup brings it)')
const withSkew = library === undefined ? (name: string, tests: () => void) => describe.skip(name, tests) : withRedis

withSkew('machines whose clocks differ', () => {
  const server = new RedisServer()
  let provider: Answering
  let config: ReturnType<typeof answeringConfig>
  let prefix = ''
  beforeAll(() => server.start())
  beforeEach(async () => {
    provider = new Answering()
    config = answeringConfig(await provider.open())
    prefix = freshPrefix()
  })
  afterEach(async () => {
    await Machine.killAll()
    provider.close()
  })
  afterAll(() => server.end())

  const skewed = (hours: string): Readonly<Record<string, string>> => ({
    ...{ LD_PRELOAD: library ?? '', FAKETIME: hours, FAKETIME_DONT_FAKE_MONOTONIC: '1' },
  })

  test('a run of an owner an hour ahead is taken over by one an hour behind, with workers of both', async () => {
    const address = `${server.address}?prefix=${prefix}`
    const workers = ['-1h', '+1h'].map(
      (hours) => new Machine({ kind: 'worker', address, config, lockMs: 30_000, stalledMs: 5000 }, skewed(hours)),
    )
    await Promise.all(workers.map((worker) => worker.until('ready')))
    const clocks = (await workersAt(address)).workers.map(({ since }) => Math.round((since - Date.now()) / 3_600_000))
    expect(clocks.sort((one, other) => one - other)).toEqual([-1, 1])
    const order = { kind: 'owners', address, prefix, config, leaseMs: 600, lookMs: 100, workers: true } as const
    const ahead = new Machine(order, skewed('+1h'))
    await ahead.until('ready')
    const link = await connectRedis(address)
    const asking = new RunOwner(link, { prefix, most: 0 })
    provider.held.add('a1')
    await asking.submit('r', diamond())
    await provider.until(() => provider.ledger.includes('a1'))
    const behind = new Machine(order, skewed('-1h'))
    await behind.until('ready')
    await ahead.kill()
    provider.letGo('a1')
    expect(await asking.ended('r')).toEqual({ outcome: 'ok', outputs: right })
    expect(provider.ledger.filter((step) => step === 'first')).toEqual(['first'])
    await link.close()
  })

  test('a limit holds for both', async () => {
    const limited = {
      ...config,
      providers: { ...config.providers, mine: { ...config.providers!['mine'], concurrency: 1 } },
    }
    const order = {
      kind: 'run',
      address: server.address,
      prefix,
      leaseMs: 15_000,
      plan: diamond(),
      config: limited,
    } as const
    const machines = ['-5h', '+5h'].map((hours) => new Machine(order, skewed(hours)))
    const ends = await Promise.all(machines.map((machine) => machine.until('ended')))
    expect(ends.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
    expect([provider.most, provider.ledger.length]).toEqual([1, 2 * steps.length])
  })
})
