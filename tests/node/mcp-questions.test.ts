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

/** A client whose user gives this answer; undefined: one that asks nobody. */
async function open(way: 'stdio' | 'http', era: Era, said?: Said): Promise<{ call: Call; asked: string[] }> {
  const asked: string[] = []
  const mode = era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' }
  const capabilities = said === undefined ? {} : { elicitation: { form: {} } }
  const client = new Client({ name: 'asks', version: '1' }, { capabilities, versionNegotiation: { mode } })
  if (said !== undefined)
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return said
    })
  clients.push(client)
  const words = { command: process.execPath, args: place.words(), env: place.env, stderr: 'ignore' as const }
  await client.connect(
    way === 'http' ? new StreamableHTTPClientTransport(new URL(url)) : new StdioClientTransport(words),
  )
  const call: Call = async (name, given = {}) => {
    const { content, isError } = await client.callTool({ name, arguments: given })
    return { text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''), isError: isError === true }
  }
  return { call, asked }
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
] as const)('over %s, %s era, the user is asked and says how much', async (way, era) => {
  const { call, asked } = await open(way, era, { action: 'accept', content: { budget_usd: 0.75 } })
  const run = await call('run_plan', { plan, wait_ms: 20_000 })
  expect((await ended(call, idOf(run))).text).toContain(' of $0.7500')
  expect(asked).toEqual([
    expect.stringMatching(/^A plan of 2 steps .* expected to cost .* How much may it cost at most\?$/),
  ])
  // Who says how much in the call is not asked, nor for a plan that is none.
  await call('run_plan', { plan, budget_usd: 0.1 })
  expect((await call('run_plan', { plan: planOf({ id: 'x' }) })).text).toMatch(/^nothing was started/)
  expect(asked).toHaveLength(1)
})

test.each<[string, Said]>([
  ['declines', { action: 'decline' }],
  ['goes away', { action: 'cancel' }],
  ['says nothing of use', { action: 'accept', content: { budget_usd: -1 } }],
])('a user who %s starts nothing', async (_what, said) => {
  const before = runs()
  for (const era of eras) {
    const { call, asked } = await open('stdio', era, said)
    const answer = await call('run_plan', { plan })
    expect(answer).toEqual({
      isError: true,
      text: 'budget_usd: the user was asked and gave no budget: nothing was started',
    })
    expect(asked).toHaveLength(1)
  }
  expect(runs()).toBe(before)
})

test.each([
  ['stdio', 'modern', undefined],
  ['stdio', 'legacy', undefined],
  ['http', 'modern', undefined],
  // This era asks over a connection that stays, which requests of HTTP have none of here.
  ['http', 'legacy', { action: 'accept', content: { budget_usd: 1 } }],
] as const)('over %s, %s era, a client that cannot ask is refused in words', async (way, era, said) => {
  const { call } = await open(way, era, said)
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
