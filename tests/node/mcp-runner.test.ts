/** The process that carries out runs of tools: one for all servers of a root, so that runs share limits; and what it takes from whom. */
import { afterAll, afterEach, expect, jest, test } from '@jest/globals'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mcpRunner } from '../../node/cli/commands/mcp-runner.js'
import { exitCodes, type ExitCode, type Host } from '../../node/cli/host.js'
import { RunLog } from '../../node/mcp/run-log.js'
import { endpointName, type Endpoint } from '../../node/mcp/runner-client.js'
import { configOf, ScriptedProvider } from '../serve/scripted-provider.js'
import { ended, idOf, overStdio, Place, planOf, step, type Connection } from './mcp-client.js'

jest.setTimeout(60_000)

const connections: Connection[] = []
const places: Place[] = []
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close()
  for (const place of places.splice(0)) place.remove()
})

/** A client of a server with a real provider on loopback, that takes two calls at once. */
async function open(provider: ScriptedProvider, place: Place): Promise<Connection> {
  const { providers, ...config } = configOf(await provider.open())
  const local = { ...providers!['local'], concurrency: 2 }
  const file = place.write('config.json', JSON.stringify({ ...config, providers: { local } }))
  const made = await overStdio(place, 'modern', '--budget', '1', '--config', file)
  connections.push(made)
  return made
}

const waiting = (...ids: string[]): object =>
  planOf(...ids.map((id) => step(id, { provider: undefined, description: `[[silence]] ${id}` })))

test('runs of several servers are in one process, and together keep the limits of their provider', async () => {
  const [provider, place] = [new ScriptedProvider(), new Place()]
  places.push(place)
  const one = await open(provider, place)
  const other = await overStdio(place, 'legacy', '--budget', '1', '--config', `${place.root}/../config.json`)
  connections.push(other)
  try {
    // Both find no runner, and start one: one of them stays.
    const began = await Promise.all([
      one.call('run_plan', { plan: waiting('a', 'b', 'c') }),
      other.call('run_plan', { plan: waiting('d', 'e', 'f') }),
    ])
    const [first = '', second = ''] = began.map(idOf)
    expect(place.runner(first)).toBe(place.runner(second))
    await provider.holds(2)
    // Each of them knows of two places; together they have two.
    for (let text = ''; !/e|f/.test(text);) text = (await other.call('run_status', { run_id: second })).text
    expect(provider.most).toBe(2)
    // The end of one is not the other's.
    expect((await one.call('cancel_run', { run_id: first })).text).toContain('was cancelled')
    provider.releaseAll()
    expect((await ended(one.call, second)).text).toContain('is done: 3 of 3 steps ok')
    expect(provider.most).toBe(2)
    // What was cancelled goes on in the same process.
    await other.call('run_plan', { resume: first })
    expect((await ended(one.call, first)).text).toContain('is done: 3 of 3 steps ok')
    expect(place.runner(first)).toBe(place.runner(second))
    expect(provider.most).toBe(2)
  } finally {
    provider.close()
  }
})

test('SIGTERM ends all of its runs in order, and they go on later', async () => {
  const [provider, place] = [new ScriptedProvider(), new Place()]
  places.push(place)
  const { call } = await open(provider, place)
  try {
    const ids = (await Promise.all(['a', 'b'].map((id) => call('run_plan', { plan: waiting(id) })))).map(idOf)
    await provider.holds(2)
    process.kill(place.runner(ids[0]!), 'SIGTERM')
    for (const id of ids) expect((await ended(call, id)).text).toContain('was cancelled')
    provider.releaseAll()
    for (const id of ids) {
      await call('run_plan', { resume: id })
      expect((await ended(call, id)).text).toContain('is done: 1 of 1 steps ok')
    }
  } finally {
    provider.close()
  }
})

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A runner in this process, on a clock that stands; its runs are what the test makes of them. */
function runner() {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-runner-'))
  folders.push(folder)
  const stop = new AbortController()
  const timers = new Set<() => void>()
  const clock = {
    now: () => 0,
    after: (_ms: number, callback: () => void) => {
      timers.add(callback)
      return () => void timers.delete(callback)
    },
  }
  const output = { write: () => true }
  const host = { stdin: [] as never, stdout: output, stderr: output, env: { A: '1' }, clock, signal: stop.signal }
  const begun: { words: readonly string[]; host: Host; end: (code: ExitCode) => void }[] = []
  const commandLine = (words: readonly string[], own: Host): Promise<ExitCode> =>
    new Promise((end) => begun.push({ words, host: own, end }))
  const over = mcpRunner(folder, host, commandLine)
  const endpoint = async (): Promise<Endpoint> => {
    while (!existsSync(path.join(folder, endpointName))) await new Promise((resolve) => setImmediate(resolve))
    return JSON.parse(readFileSync(path.join(folder, endpointName), 'utf8')) as Endpoint
  }
  const post = async (where: string, body: unknown, token?: string): Promise<number> => {
    const { port, token: own } = await endpoint()
    const headers = { authorization: `Bearer ${token ?? own}` }
    const reply = await fetch(`http://127.0.0.1:${port}${where}`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return reply.status
  }
  const order = (id: string) => ({
    id,
    words: ['run', id],
    out: path.join(folder, `${id}.out`),
    err: path.join(folder, `${id}.err`),
    env: { B: '2' },
  })
  return { folder, stop, timers, begun, over, post, order, endpoint }
}

test('an order is begun once, with its own output and variables; who has no token gives none', async () => {
  const { folder, stop, begun, over, post, order } = runner()
  expect(await post('/runs', order('x'), 'wrong')).toBe(401)
  expect(await post('/runs', '{"id":')).toBe(400)
  expect(await post('/elsewhere', {})).toBe(404)
  expect(await post('/runs', 'x'.repeat(2 << 20))).toBe(400)
  expect(begun).toHaveLength(0)
  expect([await post('/runs', order('x')), await post('/runs', order('x')), await post('/runs', order('y'))]).toEqual([
    200, 200, 200,
  ])
  expect(begun.map(({ words }) => words)).toEqual([
    ['run', 'x'],
    ['run', 'y'],
  ])
  const [x, y] = begun
  x?.host.stdout.write('{"type":"steps"}\n')
  expect(readFileSync(path.join(folder, 'x.out'), 'utf8')).toBe('{"type":"steps"}\n')
  expect(x?.host.env).toMatchObject({ A: '1', B: '2' })
  await post('/cancel', { id: 'x' })
  expect([x?.host.signal.aborted, y?.host.signal.aborted]).toEqual([true, false])
  x?.end(exitCodes.interrupted)
  // However a run has ended, its log says that nobody is at work on it.
  const log = new RunLog(path.join(folder, 'x.out'))
  while (!log.ended) await log.read()
  expect(log.over).toBe(false)
  stop.abort()
  expect(y?.host.signal.aborted).toBe(true)
  y?.end(exitCodes.interrupted)
  expect(await over).toBe(exitCodes.ok)
  expect(existsSync(path.join(folder, endpointName))).toBe(false)
})

test('it ends when it has been idle, and not while a run is at work; another one may follow', async () => {
  const { folder, timers, begun, over, post, order, endpoint } = runner()
  const { owner } = await endpoint()
  expect(owner.pid).toBe(process.pid)
  await post('/runs', order('x'))
  expect(timers.size).toBe(0)
  begun[0]?.end(exitCodes.ok)
  while (timers.size === 0) await new Promise((resolve) => setImmediate(resolve))
  for (const timer of timers) timer()
  expect(await over).toBe(exitCodes.ok)
  const lock = readFileSync(path.join(folder, 'run.lock.1'), 'utf8')
  expect(JSON.parse(lock)).toMatchObject({ released: true })
})

test('a second one for the same folder leaves the first alone', async () => {
  const { folder, stop, over, endpoint } = runner()
  const before = await endpoint()
  // Of another process that lives.
  const lock = path.join(folder, 'run.lock.1')
  const other = { ...(JSON.parse(readFileSync(lock, 'utf8')) as object), pid: process.ppid, started: '' }
  writeFileSync(lock, JSON.stringify(other))
  const host = { stdin: [] as never, stdout: { write: () => true }, stderr: { write: () => true }, env: {} }
  const clock = { now: () => 0, after: () => () => undefined }
  const second = mcpRunner(folder, { ...host, clock, signal: new AbortController().signal }, () =>
    Promise.reject(new Error()),
  )
  expect(await second).toBe(exitCodes.ok)
  expect(await endpoint()).toEqual(before)
  stop.abort()
  await over
})
