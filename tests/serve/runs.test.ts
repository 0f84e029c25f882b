/** Plans over HTTP: they outlive their connection, the process that began them, and a server that is told to end. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals'
import path from 'node:path'
import { Process, scratch } from '../node/cli-process.js'
import { configOf, ScriptedProvider, toldBy } from './scripted-provider.js'
import { serveWords, token } from './serve-process.js'
import { SseReader } from './sse-reader.js'

jest.setTimeout(120_000)

const other = 'afk_other_0123456789abcdef'
let provider: ScriptedProvider
let place: ReturnType<typeof scratch>
let words: readonly string[]
let server: Process
let base = ''

beforeAll(async () => {
  place = scratch()
  provider = new ScriptedProvider()
  const config = configOf(await provider.open())
  const keys = [
    { name: 'test', token },
    { name: 'other', token: other },
  ]
  words = [...serveWords(place.folder, config, keys), '--state', path.join(place.folder, 'state')]
  await begin()
})

afterAll(() => {
  Process.endAll()
  provider.close()
  place.remove()
})

beforeEach(() => void (provider.asked.length = 0))
afterEach(() => provider.release())

async function begin(): Promise<void> {
  server = new Process(words)
  await server.until('/v1\n')
  base = server.stdout.trim()
}

const ask = (where: string, init: RequestInit & { readonly as?: string } = {}): Promise<Response> =>
  fetch(`${base}${where}`, {
    ...init,
    headers: { authorization: `Bearer ${init.as ?? token}`, 'content-type': 'application/json', ...init.headers },
  })

/** first → [[hold]] → last. */
const chain = (name: string) => ({
  task_id: name,
  description: '',
  steps: [
    { id: 'first', type: 'analysis', description: `begin ${name}`, dependencies: [] },
    { id: 'held', type: 'analysis', description: `[[hold]] ${name}`, dependencies: ['first'] },
    { id: 'last', type: 'analysis', description: `end ${name}`, dependencies: ['held'] },
  ],
})

interface About {
  readonly id: string
  readonly status: string
  readonly cost_usd: number
  readonly steps: readonly { readonly id: string; readonly state: string }[]
}

async function start(plan: object, more: object = {}, headers: Record<string, string> = {}): Promise<About> {
  const reply = await ask('/runs', { method: 'POST', body: JSON.stringify({ plan, ...more }), headers })
  expect(reply.status).toBe(202)
  return (await reply.json()) as About
}

const about = async (id: string): Promise<About> => (await (await ask(`/runs/${id}`)).json()) as About

const eventsOf = async (id: string, last?: number): Promise<SseReader> =>
  new SseReader(
    await ask(`/runs/${id}/events`, last === undefined ? {} : { headers: { 'last-event-id': String(last) } }),
  )

test('a run ends without its reader; outputs, report and events are there afterwards', async () => {
  const run = await start(chain('one'), { name: 'one' })
  const reader = await eventsOf(run.id)
  const first = await reader.next()
  expect(first).toMatchObject({ event: 'snapshot', data: { id: run.id, status: 'running' } })
  await provider.holds(1)
  // The reader leaves in the middle, and comes again where it was.
  const seen = [...(await reader.until((each) => each.event === 'call' && each.data['step'] === 'held'))]
  reader.leave()
  const last = seen.at(-1)?.id ?? 0
  provider.release()
  const rest = await (await eventsOf(run.id, last)).all()
  const ids = rest.map(({ id }) => id).filter((id) => id !== undefined)
  expect(ids).toEqual(ids.map((_, at) => last + 1 + at))
  expect(rest.at(-1)).toMatchObject({ event: 'finish', data: { outcome: 'ok' } })
  const over = await about(run.id)
  expect(over).toMatchObject({ status: 'ok', cost_usd: 0.00012, name: 'one' })
  expect(over.steps.map(({ state }) => state)).toEqual(['done', 'done', 'done'])
  // Several readers at once: a run has one at a time.
  const outputs = await Promise.all(['first', 'held', 'last'].map((id) => ask(`/runs/${run.id}/outputs/${id}`)))
  expect(outputs.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(await outputs[2]?.text()).toContain('echo: ')
  expect(await (await ask(`/runs/${run.id}/report`)).json()).toMatchObject({ totals: { costMicroUsd: 120 } })
  // Readers of the kind that a page has come again until they hear that there is no more.
  expect((await ask(`/runs/${run.id}/events`, { headers: { 'last-event-id': String(ids.at(-1)) } })).status).toBe(204)
  expect((await ask(`/runs/${run.id}/events`, { headers: { 'last-event-id': '9999' } })).status).toBe(200)
})

test('a run is its tenant’s alone; a repeated request finds it; a plan that is none begins nothing', async () => {
  const first = await start(chain('mine'), {}, { 'idempotency-key': 'k1' })
  const again = await start(chain('mine'), {}, { 'idempotency-key': 'k1' })
  expect(again.id).toBe(first.id)
  for (const where of ['', '/events', '/report', '/outputs/first'])
    expect((await ask(`/runs/${first.id}${where}`, { as: other })).status).toBe(404)
  expect((await ask(`/runs/${first.id}`, { method: 'DELETE', as: other })).status).toBe(404)
  expect(await (await ask('/runs', { as: other })).json()).toMatchObject({ data: [] })
  const bad = await ask('/runs', { method: 'POST', body: JSON.stringify({ plan: { steps: [] } }) })
  expect([bad.status, ((await bad.json()) as { error: { code: string } }).error.code]).toEqual([400, 'plan.empty'])
  await provider.holds(1)
  expect((await ask(`/runs/${first.id}`, { method: 'DELETE' })).status).toBe(202)
  await provider.holds(0)
  await (await eventsOf(first.id)).all()
  expect(await about(first.id)).toMatchObject({ status: 'cancelled' })
  const { data } = (await (await ask('/runs?limit=1')).json()) as { data: About[] }
  expect(data.map(({ id }) => id)).toEqual([first.id])
})

test('a plan that spreads: its parts are steps of the run, with outputs and events of their own', async () => {
  const each = { id: 'each', type: 'analysis', description: 'look at {{item}}', for_each: ['this', 'that'] }
  const end = { id: 'end', type: 'analysis', description: 'sum up: {{steps.each.output}}' }
  const run = await start({ task_id: 'spread', description: '', steps: [each, end] })
  const events = await (await eventsOf(run.id)).all()
  const done = events.filter(({ event }) => event === 'done').map(({ data }) => data['step'])
  expect([...done].sort()).toEqual(['each', 'each[0]', 'each[1]', 'end'])
  expect(await about(run.id)).toMatchObject({ status: 'ok' })
  const output = async (step: string): Promise<string> =>
    (await ask(`/runs/${run.id}/outputs/${encodeURIComponent(step)}`)).text()
  const [whole, part] = [await output('each'), await output('each[1]')]
  expect(whole).toContain(part.trim())
  expect(provider.asked).toHaveLength(3)
})

test('a plan of a stranger reads no file of the server, and lists none', async () => {
  const plan = chain('files')
  for (const more of [
    { context: { files: ['../request.json'] } },
    { for_each: { glob: '../*' } },
    { for_each: { glob: '*' } },
  ]) {
    const run = await start({ ...plan, steps: [{ ...plan.steps[0], ...more }] })
    await (await eventsOf(run.id)).all()
    expect((await about(run.id)).status).not.toBe('ok')
    expect(provider.asked).toHaveLength(0)
  }
})

test('after kill -9 twenty runs go on by themselves: nothing is bought twice, no event is missing', async () => {
  const runs = await Promise.all(Array.from({ length: 20 }, (_, at) => start(chain(`k${at}`), { budget_usd: 1 })))
  await provider.holds(20)
  const last = new Map<string, number>()
  for (const { id } of runs) {
    const reader = await eventsOf(id, 0)
    const seen = await reader.until(({ event, data }) => event === 'call' && data['step'] === 'held')
    expect(seen.map((each) => each.id)).toEqual(seen.map((_, at) => at + 1))
    last.set(id, seen.length)
    reader.leave()
  }
  server.child.kill('SIGKILL')
  await server.exit()
  await provider.holds(0)
  await begin()
  // What was under way is asked again, what was answered is not.
  await provider.holds(20)
  provider.release()
  for (const { id } of runs) {
    const rest = await (await eventsOf(id, last.get(id))).all()
    const ids = rest.map((each) => each.id).filter((each) => each !== undefined)
    expect(ids).toEqual(ids.map((_, at) => (last.get(id) ?? 0) + 1 + at))
    expect(rest.at(-1)).toMatchObject({ event: 'finish', data: { outcome: 'ok' } })
    expect(await about(id)).toMatchObject({ status: 'ok' })
  }
  // The prompt of a later step quotes the earlier one's answer, which echoes its prompt.
  const told = provider.asked.map(toldBy)
  const asked = (task: string, without = '-') =>
    told.filter((text) => text.includes(`${task} k`) && !text.includes(without)).length
  expect([asked('begin', '[[hold]]'), asked('[[hold]]'), asked('end')]).toEqual([20, 40, 20])
})

test('SIGTERM: a stream is told, a run is journalled and goes on with the next start', async () => {
  const run = await start(chain('term'))
  await provider.holds(1)
  const body = { model: 'auto', stream: true, messages: [{ role: 'user', content: 'hold' }] }
  const stream = await ask('/chat/completions', { method: 'POST', body: JSON.stringify(body) })
  await provider.holds(2)
  server.child.kill('SIGTERM')
  const text = await stream.text()
  expect(text).toContain('"error":{')
  expect(text).not.toContain('[DONE]')
  expect(await server.exit()).toMatchObject({ code: 0 })
  await begin()
  await provider.holds(1)
  provider.release()
  await (await eventsOf(run.id)).all()
  expect(await about(run.id)).toMatchObject({ status: 'ok' })
})
