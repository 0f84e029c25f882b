/** Runs on a Redis server: the contract of all stores; an owner that was taken for gone writes nothing more, and another goes on. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { JournalLines, type JournalHeader } from '../../bindings/journal/journal.js'
import { runPlan, type RunEvent } from '../../node/index.js'
import type { RedisLink } from '../../node/redis/link.js'
import { RedisRunStore } from '../../node/redis/run-store.js'
import { runStoreContract } from '../contract/run-store.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(30_000)

const plan = {
  task_id: 'kept',
  description: '',
  steps: ['a', 'b', 'c'].map((id, at, all) => ({
    ...{ id, type: 'analysis', description: `Say ${id}.` },
    dependencies: all.slice(0, at).slice(-1),
  })),
}
const header: JournalHeader = {
  aetherflow: '0',
  journal: 1,
  run: '11'.repeat(16),
  startedAt: '2026-11-30T12:00:00.000Z',
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string }) => String(error.code),
  )

withRedis('runs on a Redis server', () => {
  const server = new RedisServer('--appendonly', 'yes', '--appendfsync', 'always')
  let link: RedisLink
  beforeAll(async () => {
    await server.start()
    link = await server.link()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  runStoreContract('a Redis server', () => {
    const prefix = freshPrefix()
    return Promise.resolve({
      store: () => new RedisRunStore(link, 'run', { prefix }),
      end: () => Promise.resolve(),
    })
  })

  const stale = async (prefix: string, run = 'r') => {
    const lines = new JournalLines()
    const owned = await new RedisRunStore(link, run, { prefix }).open()
    const writer = await owned.begin(header, lines.header(header))
    writer.append(lines.line('"t":0,"e":"begin","options":"{}","table":1'))
    await writer.flush()
    // What a pause longer than the lease comes to.
    await link.send('DEL', `{${prefix}}:run:${run}:lease`)
    return { owned, writer, line: () => lines.line('"t":1,"e":"planEnd"') }
  }

  test('an owner that was taken for gone is refused, its lines are dropped, and letting go takes nothing from the next', async () => {
    const prefix = freshPrefix()
    const { owned, writer, line } = await stale(prefix)
    const next = await new RedisRunStore(link, 'r', { prefix }).open()
    const failures: unknown[] = []
    writer.onFailure((error) => failures.push(error))
    writer.append(line())
    expect(await codeOf(writer.flush())).toBe('host.run_locked')
    expect(failures).toHaveLength(1)
    expect(await codeOf(owned.begin(header, 'another beginning'))).toBe('host.run_locked')
    await owned.discard()
    expect(await codeOf(new RedisRunStore(link, 'r', { prefix }).open())).toBe('host.run_locked')
    expect((await next.resume(next.kept!.journal.after(-1))) !== undefined).toBe(true)
    await next.close()
  })

  test('a server that has lost its memory refuses the owner, instead of keeping half a journal', async () => {
    const { owned, writer, line } = await stale(freshPrefix())
    await link.send('FLUSHALL')
    writer.append(line())
    expect(await codeOf(writer.flush())).toBe('host.run_locked')
    await owned.close()
  })

  test('a server that only reads ends the run with an error that says so', async () => {
    const { owned, writer, line } = await stale(freshPrefix())
    await link.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    writer.append(line())
    expect(await codeOf(writer.flush())).toBe('host.io_failed')
    await link.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await owned.close()
  })

  test('after kill -9 of a server with append-only persistence nothing that was kept is missing', async () => {
    const prefix = freshPrefix()
    const { owned, writer, line } = await stale(prefix)
    writer.append(line())
    await writer.flush()
    await server.kill()
    const back = new Promise<void>((resolve) => void link.onReturn(resolve))
    await server.start()
    await back
    expect((await new RedisRunStore(link, 'r', { prefix }).peek())?.journal.records).toHaveLength(2)
    writer.append(line())
    await writer.flush()
    expect((await new RedisRunStore(link, 'r', { prefix }).peek())?.journal.records).toHaveLength(3)
    await owned.close()
  })

  test('a run that was cut off goes on from another connection, and calls nothing again that is kept', async () => {
    const prefix = freshPrefix()
    const other = await server.link()
    const called: string[] = []
    const stop = new AbortController()
    const onEvent = (event: RunEvent): void => {
      // What a run that goes on tells before that is its past.
      if (event.type === 'resumed') called.length = 0
      if (event.type === 'call') called.push(event.step)
      if (event.type === 'done' && event.step === 'a') stop.abort()
    }
    const options = { simulate: 'instant', config: {}, onEvent }
    const first = await runPlan(plan, {
      ...options,
      journal: new RedisRunStore(link, 'r', { prefix }),
      signal: stop.signal,
    })
    expect(first.outcome).toBe('cancelled')
    const second = await runPlan(undefined, {
      ...options,
      journal: new RedisRunStore(other, 'r', { prefix }),
      resume: true,
    })
    expect([second.outcome, second.outputs.size]).toEqual(['ok', 3])
    expect(called).toContain('c')
    expect(called).not.toContain('a')
    await other.close()
  })

  test('names that are none are refused', () => {
    for (const name of ['', 'a:b', '../x', 'x'.repeat(129)])
      expect(() => new RedisRunStore(link, name)).toThrow('host.usage')
  })
})
