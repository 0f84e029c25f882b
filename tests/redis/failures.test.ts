/** What befalls the server of runs: it is full, only reads, or fails over to an empty one. Runs wait, go on, or are gone; none is spoilt. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { runPlan } from '../../node/index.js'
import { RedisRunStore, RunOwner, type RedisLink } from '../../node/redis/index.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const steps = diamond().steps.map(({ id }) => id)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))

withRedis('a server of runs that fails', () => {
  const server = new RedisServer()
  let provider: Answering
  let config: ReturnType<typeof answeringConfig>
  let link: RedisLink
  let prefix = ''
  const open: RunOwner[] = []
  beforeAll(async () => {
    await server.start()
    link = await server.link({ timeoutMs: 10_000 })
  })
  beforeEach(async () => {
    provider = new Answering()
    config = answeringConfig(await provider.open())
    prefix = freshPrefix()
  })
  afterEach(async () => {
    for (const owner of open.splice(0)) await owner.close()
    provider.close()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  /** Tells of its runs' ends and problems. */
  const owner = (): { readonly owner: RunOwner; problem(): Promise<string> } => {
    const problems: string[] = []
    const looks: (() => void)[] = []
    const made = new RunOwner(link, {
      ...{ how: { config, limits: 'own' }, prefix, leaseMs: 300, lookMs: 50 },
      onProblem: (_, problem) => {
        problems.push(problem)
        for (const look of looks.splice(0)) look()
      },
    })
    open.push(made)
    const problem = async (): Promise<string> => {
      while (problems.length === 0) await new Promise<void>((resolve) => looks.push(resolve))
      return problems.shift() ?? ''
    }
    return { owner: made, problem }
  }
  test.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['is a replica that only reads', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    [
      'has too few replicas',
      ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
      ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    ],
  ] as const)(
    'that %s: the run is let go, and goes on when that is over',
    async (_, [bad, ...worse], [good, ...better]) => {
      const { owner: one, problem } = owner()
      provider.held.add('a1')
      await one.submit('r', diamond())
      await provider.until(() => provider.ledger.includes('a1'))
      await link.send(bad, ...worse)
      provider.letGo('a1')
      expect(await problem()).toContain('host.io_failed')
      await link.send(good, ...better)
      expect(await one.ended('r')).toEqual({ outcome: 'ok', outputs: right })
      // Only what was in flight, or was answered and could not be kept, is called again.
      expect(provider.ledger.filter((step) => step === 'first')).toEqual(['first'])
      expect(steps.filter((step) => provider.ledger.filter((called) => called === step).length > 2)).toEqual([])
    },
  )

  test('fails over to an empty one: its owner writes nothing more, and nothing of the run is there', async () => {
    const { owner: one, problem } = owner()
    provider.held.add('a1')
    await one.submit('r', diamond())
    const journal = new RedisRunStore(link, 'alone', { prefix })
    const alone = runPlan(diamond(), { config, limits: 'own', journal }).result.catch((error: unknown) => error)
    await provider.until(() => provider.ledger.filter((step) => step === 'a1').length === 2)
    await link.send('FLUSHALL')
    provider.letGo('a1')
    expect(await problem()).toContain('host.run_locked')
    expect(await alone).toMatchObject({ code: 'host.run_locked' })
    expect(await link.send('KEYS', `{${prefix}}:run*`)).toEqual([])
    expect(await one.underWay()).toEqual([])
    // It is begun again, as if it had never been.
    await one.submit('r', diamond())
    expect(await one.ended('r')).toEqual({ outcome: 'ok', outputs: right })
  })
})
