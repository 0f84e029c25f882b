/** A run that nobody has set a budget for: clients that show forms ask their user, others are refused. And the trace of a call. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { projectPath } from '../fixtures/paths.js'
import { aetherflow, plan as examplePlan, Process } from './cli-process.js'
import { ended, eras, idOf, Place, planOf, step, type Call, type Era } from './mcp-client.js'

jest.setTimeout(60_000)

const place = new Place()
const clients: Client[] = []
let server: Process
let url = ''
beforeAll(async () => {
  server = new Process(place.words('--http', '0', '--no-auth').slice(1), { env: place.env })
  await server.untilSaid('MCP at ')
  url = /MCP at (\S+),/.exec(server.stderr)?.[1] ?? ''
})
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
})
afterAll(async () => {
  server.child.kill('SIGTERM')
  await server.exit()
  place.remove()
})

type Said = { action: 'accept'; content: Record<string, number> } | { action: 'decline' } | { action: 'cancel' }

interface Asking {
  readonly call: Call
  /** What the user was asked, and what they say. */
  readonly asked: string[]
  said: Said
}

/** `asks` false: a client that shows its user no forms. */
async function open(way: 'stdio' | 'http', era: Era, asks = true): Promise<Asking> {
  const mode = era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' }
  const capabilities = asks ? { elicitation: { form: {} } } : {}
  const client = new Client({ name: 'asks', version: '1' }, { capabilities, versionNegotiation: { mode } })
  const call: Call = async (name, given = {}) => {
    const { content, isError } = await client.callTool({ name, arguments: given })
    return { text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''), isError: isError === true }
  }
  const asking: Asking = { call, asked: [], said: { action: 'cancel' } }
  if (asks)
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asking.asked.push(params.message)
      return asking.said
    })
  clients.push(client)
  const words = { command: process.execPath, args: place.words(), env: place.env, stderr: 'ignore' as const }
  await client.connect(
    way === 'http' ? new StreamableHTTPClientTransport(new URL(url)) : new StdioClientTransport(words),
  )
  return asking
}

const plan = planOf(step('a'), step('b'))
const runs = (): number => {
  const folder = path.join(place.root, 'aetherflow-out')
  return existsSync(folder) ? readdirSync(folder).length : 0
}

test.each([
  ['stdio', 'modern'],
  ['stdio', 'legacy'],
  ['http', 'modern'],
] as const)('over %s, %s era, the user is asked, and what they say holds', async (way, era) => {
  const it = await open(way, era)
  // Who says nothing of use starts nothing.
  const before = runs()
  const said: Said[] = [{ action: 'decline' }, { action: 'cancel' }, { action: 'accept', content: { budget_usd: -1 } }]
  for (const each of said) {
    it.said = each
    expect(await it.call('run_plan', { plan })).toEqual({
      isError: true,
      text: 'budget_usd: the user was asked and gave no budget: nothing was started',
    })
  }
  expect([it.asked.length, runs()]).toEqual([3, before])
  it.said = { action: 'accept', content: { budget_usd: 0.75 } }
  const run = await it.call('run_plan', { plan, wait_ms: 20_000 })
  expect((await ended(it.call, idOf(run))).text).toContain(' of $0.7500')
  const words = /^A plan of 2 steps .* expected to cost .* How much may it cost at most\?$/
  expect(it.asked).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(words)))
  // Who says how much in the call is not asked, nor for a plan that is none.
  await it.call('run_plan', { plan, budget_usd: 0.1 })
  expect((await it.call('run_plan', { plan: planOf({ id: 'x' }) })).text).toMatch(/^nothing was started/)
  expect(it.asked).toHaveLength(4)
})

test.each([
  ['stdio', 'modern', false],
  ['http', 'modern', false],
  // This era asks over a connection that stays, which requests of HTTP have none of here.
  ['http', 'legacy', true],
] as const)('over %s, %s era, a client that cannot ask is refused in words', async (way, era, asks) => {
  const { call } = await open(way, era, asks)
  expect(await call('run_plan', { plan })).toEqual({
    isError: true,
    text: expect.stringMatching(/^budget_usd: say how much the run may cost/) as unknown,
  })
})

const setUp = projectPath('tests/node/otel-setup.mjs')
const trace = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${trace}-b7ad6b7169203331-01`

interface Exported {
  readonly name: string
  readonly trace: string
  readonly parent: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}
const exportedTo = (file: string): Exported[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Exported)

test('run --otel hands its spans over before it ends, in the trace of whoever started it', async () => {
  const file = place.write('spans-run.jsonl', '')
  const words = ['run', examplePlan('diamond'), '--no-output', '--simulate=instant', '--otel']
  const command = [process.execPath, '--import', setUp, projectPath('dist/node/cli/main.js')]
  const env = { ...place.env, OTEL_SPANS: file, TRACEPARENT: traceparent }
  const { code, stderr } = await aetherflow(words, '', { command, env })
  expect([code, stderr]).toEqual([0, expect.anything()])
  const spans = exportedTo(file)
  const run = spans.find(({ name }) => name.startsWith('invoke_workflow'))
  expect(run).toMatchObject({ trace, parent: 'b7ad6b7169203331' })
  expect(spans.filter(({ name }) => name.startsWith('chat')).length).toBeGreaterThan(0)
  expect(new Set(spans.map((span) => span.trace))).toEqual(new Set([trace]))
})

test('a run that a tool started goes on with the trace of the call, from the metadata of either era', async () => {
  const file = place.write('spans-mcp.jsonl', '')
  const env = { ...place.env, OTEL_SPANS: file }
  for (const [number, era] of eras.entries()) {
    const mode = era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' }
    const client = new Client({ name: 'traced', version: '1' }, { versionNegotiation: { mode } })
    clients.push(client)
    const args = ['--import', setUp, ...place.words('--budget', '1', '--otel')]
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }))
    const own = `${trace.slice(0, -1)}${number}`
    const _meta = { traceparent: `00-${own}-b7ad6b7169203331-01`, tracestate: 'a=b' }
    const given = { name: 'run_plan', arguments: { plan, wait_ms: 20_000 }, _meta }
    const { content } = await client.callTool(given)
    expect(JSON.stringify(content)).toContain('is done')
    const parents = (): (string | undefined)[] =>
      exportedTo(file)
        .filter((span) => span.trace === own && span.name.startsWith('invoke_workflow'))
        .map(({ parent }) => parent)
    // The log of a run is read before its spans are handed over.
    while (parents().length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(parents()).toEqual(['b7ad6b7169203331'])
  }
})
