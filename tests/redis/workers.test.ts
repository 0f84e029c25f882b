/** Calls that workers make: the outputs of one process, also when workers, owners and the server are killed; nothing kept is called again. */
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import { runPlan, type RunPlanOptions, type RunResult } from '../../node/index.js'
import { beginCallScript, firstTextScript } from '../../node/redis/call-scripts.js'
import { sweepCalls } from '../../node/redis/call-sweep.js'
import { CallKeys, loadBull, queueConnection } from '../../node/redis/call-wire.js'
import { serve } from '../../node/serve/serve.js'
import {
  RedisAuthority,
  RedisRunStore,
  RemoteCalls,
  workersAt,
  WorkerTotals,
  startWorker,
  type RunningWorker,
  type RedisLink,
} from '../../node/redis/index.js'
import { redisPlace } from '../../node/redis/address.js'
import { runScript } from '../../node/redis/link.js'
import { RunKeys } from '../../node/redis/run-keys.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { root } from '../checks/sources.js'
import { Process } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { Answering, answeringConfig, clientsOf, diamond } from './answering.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, whenKept, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const steps = diamond().steps.map(({ id }) => id)
const counted = (ledger: readonly string[], step: string): number => ledger.filter((name) => name === step).length
const outputsOf = ({ outputs }: RunResult): Record<string, string> => Object.fromEntries(outputs)
const right = Object.fromEntries(steps.map((step) => [step, Answering.text(step)]))

withRedis('workers', () => {
  const server = new RedisServer('--appendonly', 'yes', '--appendfsync', 'always')
  let provider: Answering
  let config: ReturnType<typeof answeringConfig>
  let link: RedisLink
  let prefix = ''
  let address = ''
  const open: RemoteCalls[] = []
  const here: RunningWorker[] = []
  beforeAll(async () => {
    await server.start()
    link = await server.link()
  })
  beforeEach(async () => {
    provider = new Answering()
    config = answeringConfig(await provider.open())
    prefix = freshPrefix()
    address = `${server.address}?prefix=${prefix}`
  })
  afterEach(async () => {
    for (const calls of open.splice(0)) await calls.close()
    for (const running of here.splice(0)) await running.close()
    await Machine.killAll()
    provider.close()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  /** In this process: for what needs nobody killed. */
  const worker = async (): Promise<void> => void here.push(await startWorker({ address, providers: clientsOf(config) }))
  const machineWorker = async (lockMs = 30_000, stalledMs = 5000): Promise<Machine> => {
    const machine = new Machine({ kind: 'worker', address, config, lockMs, stalledMs })
    await machine.until('ready')
    return machine
  }
  const remote = async (): Promise<RemoteCalls> => {
    const calls = await RemoteCalls.open(address)
    open.push(calls)
    return calls
  }
  const over = async (more: RunPlanOptions = {}, calls?: RemoteCalls): Promise<RunResult> =>
    runPlan(diamond(), { config, clients: calls ?? (await remote()), limits: 'own', ...more })

  test('give the outputs of one process, call each step once, and stream their text', async () => {
    const [one, other] = await Promise.all([machineWorker(), machineWorker()])
    const told = new Map<string, string>()
    const result = await over({ onText: (step, piece) => told.set(step, (told.get(step) ?? '') + piece) })
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
    expect([...provider.ledger].sort()).toEqual([...steps].sort())
    expect(Object.fromEntries(told)).toEqual(right)
    const alone = await runPlan(diamond(), { config, limits: 'own' })
    expect(outputsOf(alone)).toEqual(outputsOf(result))

    const { workers, queues } = await workersAt(address)
    expect(workers.map(({ pid }) => pid).sort()).toEqual([one.child.pid, other.child.pid].sort())
    expect(queues).toEqual([{ provider: 'mine', waiting: 0, active: 0 }])
    const listed = await aetherflow(['workers', '--redis', address])
    expect([listed.code, listed.stdout.includes(String(one.child.pid))]).toEqual([0, true])
  })

  test('serve the requests of other software too, as series of /metrics tell', async () => {
    await worker()
    const clients = await remote()
    const limits = new RedisAuthority(link, { prefix })
    const server = await serve({ port: 0, auth: false, config, clients, limits, series: [new WorkerTotals(address)] })
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Write STEP-a1.' }] }),
    })
    expect(JSON.stringify(await answer.json())).toContain(Answering.text('a1'))
    expect(await limits.groups()).toContainEqual({ name: 'mine', inFlight: 0, waiting: 0, breaker: 'closed' })
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    expect(metrics).toMatch(/^aetherflow_workers 1$/m)
    expect(metrics).toMatch(/^aetherflow_queue_waiting\{provider="mine"\} 0$/m)
    await server.close()
    await limits.close()
  })

  test('as commands: a worker that simulates, a run that says so, and no server is said in plain words', async () => {
    const process = new Process(['worker', '--redis', address, '--simulate', 'instant'])
    await process.until('worker ')
    const words = ['run', path.join(root, 'examples/plans/five-files.json'), '--no-output', '--quiet']
    const run = await aetherflow([...words, '--workers', address])
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('simulated: instant')])
    process.child.kill('SIGINT')
    expect((await process.exit()).code).toBe(0)
    const without = await aetherflow([...words, '--workers', 'redis://:canary@127.0.0.1:1'])
    expect(without.code).toBe(1)
    expect(without.stderr).toContain('there is no connection to the server')
    expect(without.stderr).not.toContain('canary')
  })

  test('a call that is cancelled ends at the provider', async () => {
    await worker()
    provider.held.add('first')
    const stop = new AbortController()
    const running = over({ signal: stop.signal })
    await provider.until(() => provider.ledger.length === 1)
    stop.abort()
    expect((await running).outcome).toBe('cancelled')
    await provider.until(() => provider.left.includes('first'))
    // Nothing of it is left: anyone who resumes the run calls it as if for the first time.
    const keys = new CallKeys(prefix)
    await whenKept(link, keys.starts, async () => (await link.send('HLEN', keys.starts)) === 0)
    expect(await link.send('HLEN', keys.waiters)).toBe(0)
  })

  test('what owners that are gone have left of their calls is forgotten, and nothing of one that is there', async () => {
    const keys = new CallKeys(prefix)
    const many = Array.from({ length: 1500 }, (_, at) => `left${at}`)
    await link.send('SET', keys.owner('here'), '1')
    await link.send('HSET', keys.waiters, 'live', 'here', ...many.flatMap((id) => [id, 'gone']))
    await link.send('HSET', keys.starts, ...['live', ...many, 'alone'].flatMap((id) => [id, 1, `${id}:shown`, 'here']))
    await sweepCalls(link, keys)
    expect(await link.send('HKEYS', keys.waiters)).toEqual(['live'])
    expect(((await link.send('HKEYS', keys.starts)) as string[]).sort()).toEqual(['live', 'live:shown'])
  })

  test('a call whose result is there is not made again, and is forgotten', async () => {
    const keys = new CallKeys(prefix)
    await link.send('SET', keys.owner('here'), '1')
    await link.send('HSET', keys.waiters, 'late', 'here')
    await link.send('HSET', keys.starts, 'late', 1, 'late:shown', 'here')
    await link.send('SET', keys.result('late'), '{}')
    const begin = async (): Promise<unknown> =>
      runScript(link, beginCallScript, [keys.waiters, keys.starts, keys.result('late')], ['late', keys.owners])
    expect(await begin()).toEqual(['here'])
    expect([await link.send('EXISTS', keys.waiters), await link.send('EXISTS', keys.starts)]).toEqual([0, 0])
    await link.send('DEL', keys.result('late'))
    expect(await begin()).toEqual([])
    // Begun by two in turn: only the last may show its text, and the next knows.
    await link.send('HSET', keys.waiters, 'late', 'here')
    expect(await begin()).toEqual(['here', 1, 0])
    expect(await begin()).toEqual(['here', 2, 0])
    const first = async (n: number): Promise<unknown> =>
      runScript(link, firstTextScript, [keys.starts, keys.owner('here')], ['late', n, 'here', '{}'])
    expect([await first(1), await first(2)]).toEqual([0, 1])
    expect(await begin()).toEqual(['here', 3, 1])
    // An owner that takes the run over was shown nothing.
    await link.send('SET', keys.owner('next'), '1')
    await link.send('HSET', keys.waiters, 'late', 'next')
    expect(await begin()).toEqual(['next', 4, 0])
  })

  test('an owner that has lost its run cancels no call that the next one waits for', async () => {
    await worker()
    const keys = new CallKeys(prefix)
    provider.held.add('first')
    const stop = new AbortController()
    let shown = (): void => undefined
    const words = new Promise<void>((resolve) => (shown = resolve))
    const running = over({ signal: stop.signal, onText: () => shown() })
    await words
    const [id = ''] = (await link.send('HKEYS', keys.waiters)) as string[]
    await link.send('SET', keys.owner('next'), '1')
    const heard = new Promise<string>((resolve) => void link.listen(keys.owner('next'), resolve))
    await link.send('HSET', keys.waiters, id, 'next')
    stop.abort()
    expect((await running).outcome).toBe('cancelled')
    provider.letGo('first')
    expect(JSON.parse(await heard)).toMatchObject({ id, t: 'end' })
    expect(await link.send('GET', keys.result(id))).toContain(Answering.text('first'))
    expect(provider.left).toEqual([])
  })

  test('a failure is heard once: a run that is resumed calls again, and is answered', async () => {
    await worker()
    const journal = new RedisRunStore(link, 'again', { prefix })
    provider.refuses = true
    const failed = await over({ journal })
    provider.refuses = false
    expect(failed.outcome).toBe('steps_failed')
    const result = await over({ journal, reuse: true }, await remote())
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
  })

  test('kill -9 of a worker: another makes its calls, and only those twice', async () => {
    const first = await machineWorker(500, 250)
    provider.held.add('a1')
    const running = over()
    await provider.until(() => counted(provider.ledger, 'a1') === 1)
    const next = machineWorker(500, 250)
    await first.kill()
    await next
    provider.letGo('a1')
    const result = await running
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
    expect(steps.filter((step) => counted(provider.ledger, step) > 1)).not.toContain('first')
    expect(counted(provider.ledger, 'a1')).toBeGreaterThan(1)
  })

  test('kill -9 of a worker whose text was shown: the run alone decides to call again, and nobody makes the lost call', async () => {
    const first = await machineWorker(500, 250)
    provider.held.add('a1')
    let shown = (): void => undefined
    const words = new Promise<void>((resolve) => (shown = resolve))
    const running = over({ onText: (step) => step === 'a1' && shown() })
    await words
    const next = machineWorker(500, 250)
    await first.kill()
    await next
    await provider.until(() => counted(provider.ledger, 'a1') === 2)
    provider.letGo('a1')
    const result = await running
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
    expect(counted(provider.ledger, 'a1')).toBe(2)
    // The marks of what was shown go with the call.
    expect(await link.send('HLEN', new CallKeys(prefix).starts)).toBe(0)
  })

  test('a worker whose event loop is blocked beyond its lock: one answer counts, and the outputs are the same', async () => {
    const first = await machineWorker(300, 150)
    provider.held.add('first')
    const running = over()
    await provider.until(() => provider.ledger.length === 1)
    const second = await machineWorker(300, 150)
    first.child.send({ kind: 'block', ms: 2500 })
    await provider.until(() => provider.ledger.length === 2)
    provider.letGo('first')
    const result = await running
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
    expect(counted(provider.ledger, 'last')).toBe(1)
    await first.until('blocked')
    expect(second.child.exitCode).toBeNull()
  })

  test('kill -9 of the owner at seeded moments: the next calls again only what was in flight', async () => {
    await worker()
    const random = seeded(22)
    for (let round = 0; round < 2; round += 1) {
      const runs = freshPrefix()
      provider.ledger.length = 0
      const owner = new Machine({ kind: 'owner', address, prefix: runs, plan: diamond(), config, leaseMs: 300 })
      const moment = 1 + Math.floor(random() * (steps.length - 1))
      await provider.until(() => provider.ledger.length >= moment)
      await owner.kill()
      const journal = new RedisRunStore(link, 'run', { prefix: runs, leaseMs: 300 })
      const kept = (await journal.peek())?.journal.records.filter(({ e }) => e === 'succeeded').length ?? 0
      // The lease of the dead owner has to end.
      await whenKept(link, new RunKeys('run', runs).lease, async () => !(await journal.owned()))
      const result = await over({ journal, resume: true })
      expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
      expect(provider.ledger.length - steps.length).toBeLessThanOrEqual(steps.length - kept)
      expect(steps.filter((step) => counted(provider.ledger, step) > 2)).toEqual([])
    }
  })

  test('kill -9 of the server in the middle of a run: it goes on when the server is back, with the same outputs', async () => {
    await worker()
    provider.held.add('a1')
    const running = over()
    await provider.until(() => counted(provider.ledger, 'a1') === 1)
    await server.kill()
    await server.start()
    provider.letGo('a1')
    const result = await running
    expect([result.outcome, outputsOf(result)]).toEqual(['ok', right])
    expect(counted(provider.ledger, 'first')).toBe(1)
  })

  test('nobody makes a call whose owner is gone, nor one that is none; without workers a run says so', async () => {
    await expect(RemoteCalls.open(address)).rejects.toMatchObject({ code: 'host.io_failed' })
    await worker()
    const keys = new CallKeys(prefix)
    const { Queue } = await loadBull()
    const connection = await queueConnection(redisPlace(address).address)
    const queue = new Queue('mine', { connection, prefix: keys.queues })
    const request = {
      model: 'm',
      system: '',
      user: 'STEP-stray',
      maxOutputTokens: 10,
      output: { kind: 'any' },
      stream: true,
    } as const
    await queue.add('call', { owner: 'gone', request }, { jobId: 'stray', removeOnComplete: true })
    await link.send('HSET', keys.waiters, 'stray', 'gone')
    await link.send('SET', keys.owner('here'), '1')
    await link.send('HSET', keys.waiters, 'bad', 'here')
    const heard = new Promise<string>((resolve) => void link.listen(keys.owner('here'), resolve))
    await link.send('PING')
    await queue.add('call', { owner: 'here', request: { model: 7 } as never }, { jobId: 'bad', removeOnComplete: true })
    expect(JSON.parse(await heard)).toMatchObject({ id: 'bad', t: 'end' })
    expect(await link.send('GET', keys.result('bad'))).toContain('bad_request')
    expect(provider.ledger).toEqual([])
    await queue.close()
    connection.disconnect()
  })
})
