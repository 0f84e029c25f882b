/** Runs behind handles: they end without their client, and go on after the death of what ran them. And the extension for tasks. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Process } from './cli-process.js'
import { ended, idOf, overStdio, Place, planOf, step, type Connection } from './mcp-client.js'

jest.setTimeout(60_000)

const place = new Place()
const connections: Connection[] = []
const open = async (): Promise<Connection> => {
  const made = await overStdio(place, 'modern', '--budget', '1', '--max-runs', '9')
  connections.push(made)
  return made
}
let server: Process
let url = ''
let token = ''
beforeAll(async () => {
  server = new Process(place.words('--http', '0', '--budget', '1', '--max-runs', '9').slice(1), { env: place.env })
  await server.untilSaid('MCP at ')
  url = /MCP at (\S+),/.exec(server.stderr)?.[1] ?? ''
  token = readFileSync(path.join(place.state, 'aetherflow/mcp-token'), 'utf8').trim()
})
afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close()
})
afterAll(async () => {
  server.child.kill('SIGTERM')
  await server.exit()
  place.remove()
})

const dies = (pid: number): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      try {
        process.kill(pid, 0)
        setImmediate(look)
      } catch {
        resolve()
      }
    }
    look()
  })

test('a run ends when its client and its server have been killed, and the next client reads its result', async () => {
  place.play({ mistral: 1500 })
  const first = await open()
  const id = idOf(await first.call('run_plan', { plan: planOf(step('a', { provider: 'mistral' }), step('b')) }))
  process.kill(first.pid!, 'SIGKILL')
  await dies(first.pid!)
  const next = await open()
  const result = await ended(next.call, id)
  expect(result.text).toContain('is done: 2 of 2 steps ok')
  expect((await next.call('read_output', { run_id: id, step: 'a' })).text).toMatch(
    /^\[a: characters 0 to \d+ of \d+\]\nSimulated/,
  )
})

test('a run whose own process was killed goes on, and pays for nothing again', async () => {
  place.play({ groq: 3_600_000 })
  const first = await open()
  const plan = planOf(step('quick'), step('slow', { provider: 'groq' }))
  const id = idOf(await first.call('run_plan', { plan }))
  const seen = await new Promise<string>((resolve, reject) => {
    const look = (): void =>
      void first
        .call('run_status', { run_id: id, wait_ms: 300 })
        .then(({ text }) => (/quick ok/.test(text) ? resolve(text) : look()), reject)
    look()
  })
  expect(seen).toContain('is running: 1 of 2 steps ok, 1 at work')
  const pid = place.runner(id)
  process.kill(pid, 'SIGKILL')
  process.kill(first.pid!, 'SIGKILL')
  await dies(pid)
  place.play({})
  const next = await open()
  const interrupted = await next.call('run_status', { run_id: id })
  expect(interrupted.text).toMatch(new RegExp(`was interrupted: 1 of 2.*\n(.*\n)?to go on: run_plan with resume ${id}`))
  expect((await next.call('run_plan', { resume: id })).isError).toBe(false)
  expect((await ended(next.call, id)).text).toContain('is done: 2 of 2 steps ok')
  const lines = readFileSync(path.join(place.root, 'aetherflow-out', id, 'events-2.jsonl'), 'utf8').split('\n')
  const after = lines.slice(lines.findIndex((line) => line.includes('"type":"resumed"')) + 1)
  const paid = after
    .filter((line) => line.includes('"type":"callEnd"'))
    .map((line) => (JSON.parse(line) as { step: string }).step)
  expect(paid).toEqual(['slow'])
  // What is over in order is not begun again.
  expect((await next.call('run_plan', { resume: id, wait_ms: 20_000 })).text).toContain('is done: 2 of 2 steps ok')
})

const key = 'io.modelcontextprotocol'
const tasks = { extensions: { [`${key}/tasks`]: {} } }
let number = 0
async function raw(method: string, params: Record<string, unknown>, capabilities: object = {}) {
  const _meta = {
    [`${key}/protocolVersion`]: '2026-07-28',
    [`${key}/clientInfo`]: { name: 'raw', version: '1' },
    [`${key}/clientCapabilities`]: capabilities,
  }
  const name = params['name'] ?? params['taskId']
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++number, method, params: { ...params, _meta } }),
  })
  return (await response.json()) as { result?: Record<string, unknown>; error?: { code: number; message: string } }
}

test('a client that declares tasks gets one, polls it, and has the summary as its result', async () => {
  place.play({ mistral: 500 })
  const plan = planOf(step('a', { provider: 'mistral' }))
  const { result: created } = await raw('tools/call', { name: 'run_plan', arguments: { plan } }, tasks)
  expect(created).toMatchObject({
    resultType: 'task',
    status: 'working',
    ttlMs: null,
    pollIntervalMs: expect.any(Number),
  })
  const taskId = created!['taskId'] as string
  let task: Record<string, unknown> | undefined
  do task = (await raw('tasks/get', { taskId }, tasks)).result
  while (task?.['status'] === 'working')
  expect(task).toMatchObject({ resultType: 'complete', taskId, status: 'completed' })
  const { content } = task!['result'] as { content: { text: string }[] }
  expect(content[0]?.text).toContain(`run ${taskId} is done: 1 of 1 steps ok`)
  expect((await raw('tasks/update', { taskId, inputResponses: {} }, tasks)).result).toMatchObject({
    resultType: 'complete',
  })
})

test('a task is cancelled as its run is, and nobody has one who does not declare tasks', async () => {
  place.play({ groq: 3_600_000 })
  const plan = planOf(step('a', { provider: 'groq' }))
  const { result: plain } = await raw('tools/call', { name: 'run_plan', arguments: { plan } })
  expect(plain).toMatchObject({ resultType: 'complete', content: [{ type: 'text' }] })
  const taskId = idOf({ text: (plain!['content'] as { text: string }[])[0]!.text, isError: false })
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
    expect((await raw(method, { taskId, inputResponses: {} })).error).toMatchObject({ code: -32021 })
  expect((await raw('tasks/get', { taskId }, tasks)).result).toMatchObject({ status: 'working' })
  expect((await raw('tasks/get', { taskId: 'r'.padEnd(26, 'x') }, tasks)).error).toMatchObject({ code: -32602 })
  expect((await raw('tasks/cancel', { taskId }, tasks)).result).toMatchObject({ resultType: 'complete' })
  let task: Record<string, unknown> | undefined
  do task = (await raw('tasks/get', { taskId }, tasks)).result
  while (task?.['status'] === 'working')
  expect(task).toMatchObject({ status: 'cancelled' })
})
