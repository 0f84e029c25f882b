/**
 * Servers of several machines that share their runs: whichever is asked answers, events go on by their ids when the owner is killed, and
 * nothing that was kept is called again.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import path from 'node:path'
import { workersAt } from '../../node/redis/index.js'
import { Process, scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { serveWords, token } from '../serve/serve-process.js'
import { SseReader, type Told } from '../serve/sse-reader.js'
import { Answering, answeringConfig, diamond } from './answering.js'
import { Machine } from './machines.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(60_000)

const steps = diamond().steps.map(({ id }) => id)

interface About {
  readonly id: string
  readonly status: string
  readonly owner?: string
  readonly cost_usd: number
}

/** One of the servers. */
interface Place {
  readonly machine: Machine
  readonly url: string
}

withRedis('servers that share their runs', () => {
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
    Process.endAll()
    provider.close()
  })
  afterAll(() => server.end())

  const started = async (): Promise<Place> => {
    const machine = new Machine({
      ...{ kind: 'server', address: server.address, prefix, config, token },
      ...{ leaseMs: 1000, lookMs: 100 },
    })
    return { machine, url: (await machine.until('url')).url }
  }
  const ask = (url: string, where: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}/v1/runs${where}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...init.headers },
    })
  const start = async ({ url }: Place, headers: Record<string, string> = {}): Promise<About> => {
    const reply = await ask(url, '', { method: 'POST', body: JSON.stringify({ plan: diamond() }), headers })
    expect(reply.status).toBe(202)
    return (await reply.json()) as About
  }
  const about = async ({ url }: Place, id: string): Promise<About> => (await (await ask(url, `/${id}`)).json()) as About
  const eventsOf = async ({ url }: Place, id: string, last?: number): Promise<SseReader> =>
    new SseReader(
      await ask(url, `/${id}/events`, last === undefined ? {} : { headers: { 'last-event-id': `${last}` } }),
    )
  /** The one that carries the run out, and those that do not. */
  const sorted = async (places: readonly Place[], id: string): Promise<{ owner: Place; others: readonly Place[] }> => {
    const { owner = '' } = await about(places[0]!, id)
    const found = places.find(({ machine }) => owner.endsWith(`:${machine.child.pid}`))
    if (found === undefined) throw new Error(`nobody carries ${id} out`)
    return { owner: found, others: places.filter((place) => place !== found) }
  }
  const idsOf = (told: readonly Told[]): number[] =>
    told.flatMap(({ id, event }) => (event === 'snapshot' ? [] : (id ?? [])))

  test('kill -9 of the owner: another goes on, its events have no gap, nothing that was done is called again', async () => {
    const places = await Promise.all([started(), started(), started()])
    provider.held.add('b1')
    const run = await start(places[0]!, { 'idempotency-key': 'k' })
    await provider.until(() => provider.ledger.length > 0)
    const { owner, others } = await sorted(places, run.id)
    const [near, far] = others as [Place, Place]
    // One reader at the owner, which is cut off, and one elsewhere, who hears all of it.
    const [cut, whole] = [await eventsOf(owner, run.id, 0), await eventsOf(near, run.id, 0)]
    const before = await cut.until(({ event, data }) => event === 'done' && data['step'] === 'c2')
    const done = before.flatMap(({ event, data }) => (event === 'done' ? [String(data['step'])] : []))
    await owner.machine.kill()
    await provider.until(() => provider.ledger.filter((step) => step === 'b1').length === 2)
    provider.letGo('b1')
    const after = await (await eventsOf(far, run.id, before.length)).all()
    expect(after.at(-1)).toMatchObject({ event: 'finish', data: { outcome: 'ok' } })
    const ids = [...idsOf(before), ...idsOf(after)]
    expect(ids).toEqual(ids.map((_, at) => at + 1))
    const heard = await whole.all()
    expect(idsOf(heard)).toEqual(ids)
    expect(
      heard
        .filter(({ event }) => event === 'done')
        .map(({ data }) => data['step'])
        .sort(),
    ).toEqual([...steps].sort())
    for (const step of done) expect(provider.ledger.filter((called) => called === step)).toEqual([step])
    expect(provider.ledger.filter((step) => step === 'b1')).toHaveLength(2)

    // Whichever is asked answers.
    for (const place of others) {
      for (const step of steps)
        expect(await (await ask(place.url, `/${run.id}/outputs/${step}`)).text()).toBe(Answering.text(step))
      expect(await about(place, run.id)).toMatchObject({ status: 'ok', cost_usd: 8 * 80e-6 })
      const { totals } = (await (await ask(place.url, `/${run.id}/report`)).json()) as {
        totals: { costMicroUsd: number }
      }
      expect(totals.costMicroUsd).toBe(640)
      expect(await (await ask(place.url, '')).json()).toMatchObject({
        data: [{ id: run.id, status: 'ok' }],
        has_more: false,
      })
      expect(
        (await ask(place.url, `/${run.id}/events`, { headers: { 'last-event-id': String(ids.length) } })).status,
      ).toBe(204)
      expect((await start(place, { 'idempotency-key': 'k' })).id).toBe(run.id)
      expect(await (await ask(place.url, '?limit=-1')).json()).toMatchObject({ data: [{ id: run.id }] })
    }
    const journal = await (await ask(far.url, `/${run.id}/journal`)).text()
    expect(journal.split('\n').filter((line) => line.includes('"e":"succeeded"'))).toHaveLength(steps.length)
    expect(provider.ledger).toHaveLength(steps.length + 1)
  })

  test('a run is cancelled from any of them, also while nobody carries it out', async () => {
    const places = await Promise.all([started(), started()])
    provider.held.add('first')
    const run = await start(places[0]!)
    await provider.until(() => provider.ledger.length === 1)
    const { owner, others } = await sorted(places, run.id)
    const [other] = others as [Place]
    expect((await ask(other.url, `/${run.id}`, { method: 'DELETE' })).status).toBe(202)
    await provider.until(() => provider.left.includes('first'))
    expect((await (await eventsOf(other, run.id, 0)).all()).at(-1)).toMatchObject({ event: 'finish' })
    expect(await about(other, run.id)).toMatchObject({ status: 'cancelled' })

    // Its owner is gone, and it is cancelled before another has it.
    const next = await start(owner)
    await provider.until(() => provider.ledger.length === 2)
    const sides = await sorted(places, next.id)
    await sides.owner.machine.kill()
    expect((await ask(sides.others[0]!.url, `/${next.id}`, { method: 'DELETE' })).status).toBe(202)
    await (await eventsOf(sides.others[0]!, next.id, 0)).all()
    expect(await about(sides.others[0]!, next.id)).toMatchObject({ status: 'cancelled' })
    expect(provider.ledger).toEqual(['first', 'first'])
  })

  test('as commands: two servers, the list of owners, and a run that the one which ends hands on', async () => {
    const place = scratch()
    const address = `${server.address}?prefix=${prefix}`
    const words = [...serveWords(place.folder, config), '--runs', address, '--lease', '1']
    const begin = async (): Promise<Process> => {
      const made = new Process([...words, '--state', path.join(place.folder, 's')])
      await made.until('/v1\n')
      return made
    }
    const [one, other] = await Promise.all([begin(), begin()])
    const urls = [one, other].map(({ stdout }) => stdout.trim().replace(/\/v1$/, ''))
    provider.held.add('first')
    const reply = await ask(urls[0]!, '', { method: 'POST', body: JSON.stringify({ plan: diamond() }) })
    const run = (await reply.json()) as About
    await provider.until(() => provider.ledger.length === 1)
    const { owner = '' } = (await (await ask(urls[1]!, `/${run.id}`)).json()) as About
    const ends = owner.endsWith(`:${one.child.pid}`) ? one : other
    const listed = await aetherflow(['workers', '--redis', address])
    expect([listed.code, listed.stdout]).toEqual([0, expect.stringContaining(`:${ends.child.pid}`)])
    expect(listed.stdout).toContain('1 run in progress, 0 of them without an owner')
    const left = urls[ends === one ? 1 : 0]!
    const metrics = await (await fetch(`${left}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text()
    for (const line of ['aetherflow_owners 2', 'aetherflow_runs_open 1', 'aetherflow_calls_in_flight{group="mine"} 1'])
      expect(metrics.split('\n')).toContain(line)
    ends.child.kill('SIGTERM')
    await ends.exit()
    await provider.until(() => provider.ledger.length === 2)
    provider.letGo('first')
    const told = await new SseReader(await ask(left, `/${run.id}/events`, { headers: { 'last-event-id': '0' } })).all()
    expect(told.at(-1)).toMatchObject({ event: 'finish', data: { outcome: 'ok' } })
    expect((await workersAt(address)).owners).toMatchObject([{ pid: (ends === one ? other : one).child.pid }])
    place.remove()
  })
})
