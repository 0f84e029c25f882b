/** Runs that are taken over: whichever owner is killed, at seeded moments, the outputs are the same, and what was kept is not called again. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { RunOwner, type RedisLink, type RunOwnerOptions } from '../../node/redis/index.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import type { OwnersOrder } from './machine.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const steps = diamond().steps.map(({ id }) => id)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))

withRedis('owners of runs', () => {
  const server = new RedisServer()
  let provider: Answering
  let config: ReturnType<typeof answeringConfig>
  let link: RedisLink
  let prefix = ''
  const open: RunOwner[] = []
  beforeAll(async () => {
    await server.start()
    link = await server.link()
  })
  beforeEach(async () => {
    provider = new Answering()
    config = answeringConfig(await provider.open())
    prefix = freshPrefix()
  })
  afterEach(async () => {
    for (const owner of open.splice(0)) await owner.close()
    await Machine.killAll()
    provider.close()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  const owner = (most: number, more: Partial<RunOwnerOptions> = {}): RunOwner => {
    const how = { config, limits: 'own' } as const
    const made = new RunOwner(link, { how, prefix, most, leaseMs: 400, lookMs: 100, ...more })
    open.push(made)
    return made
  }
  const machine = async (diesAt?: OwnersOrder['diesAt']): Promise<Machine> => {
    const order = { kind: 'owners', address: server.address, prefix, config, leaseMs: 400, lookMs: 100 } as const
    const made = new Machine(diesAt === undefined ? order : { ...order, diesAt })
    await made.until('ready')
    return made
  }
  test('a run of an owner that is killed is taken over by another', async () => {
    const [asking, random] = [owner(0), seeded(5)]
    const first = await machine()
    // It dies while this one is in flight.
    const held = steps[1 + Math.floor(random() * (steps.length - 1))]!
    provider.held.add(held)
    await asking.submit('r', diamond())
    await asking.submit('r', { task_id: 'another', description: '', steps: [] })
    await provider.until(() => provider.ledger.includes(held))
    await machine()
    await first.kill()
    provider.letGo(held)
    expect(await asking.ended('r')).toEqual({ outcome: 'ok', outputs: right })
    expect(await asking.underWay()).toEqual([])
    // At most what was in flight was called twice.
    expect(steps.filter((step) => provider.ledger.filter((name) => name === step).length > 2)).toEqual([])
    expect(provider.ledger.filter((step) => step === 'first')).toEqual(['first'])
    expect(provider.ledger.filter((step) => step === held)).toHaveLength(2)
  })

  test('an owner that closes hands its run on, and a plan that is none ends as failed', async () => {
    const [asking, first] = [owner(0), owner(5)]
    provider.held.add('b1')
    await asking.submit('r', diamond())
    await provider.until(() => provider.ledger.includes('b1'))
    await first.close()
    expect(await asking.underWay()).toEqual(['r'])
    provider.letGo('b1')
    owner(5)
    expect(await asking.ended('r')).toEqual({ outcome: 'ok', outputs: right })
    expect(provider.ledger.filter((step) => step === 'first')).toEqual(['first'])
    await asking.submit('none', '{"steps":7}')
    expect(await asking.ended('none')).toMatchObject({ outcome: 'failed', outputs: {} })
    await expect(asking.submit('a:b', diamond())).rejects.toMatchObject({ code: 'host.usage' })
  })

  test('a run that its owners do not survive fails, and one that comes forward each time does not', async () => {
    const asking = owner(0)
    await asking.submit('bad', diamond())
    // The first dies before a step is done, the second after one, the third at the same place again.
    for (const type of ['call', 'done', 'done'] as const) {
      const dying = await machine({ type, step: 'first' })
      await dying.ended()
    }
    expect(await asking.end('bad')).toBeUndefined()
    owner(5, { mostLost: 1 })
    const end = await asking.ended('bad')
    expect([end.outcome, end.why]).toEqual(['failed', expect.stringContaining('host.worker')])
    expect(end.outputs).toEqual({ first: Answering.text('first') })
    // What is over goes by itself.
    expect(Number(await link.send('PTTL', `{${prefix}}:run:bad:job`))).toBeGreaterThan(0)
    expect(Number(await link.send('PTTL', `{${prefix}}:run:bad:journal`))).toBeGreaterThan(0)
  })
})
