/** What a scrape of a running server tells, read by a real parser: how things stand, the cache, the user's ledger. */
import { afterAll, afterEach, expect, jest, test } from '@jest/globals'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import parsePrometheus from 'parse-prometheus-text-format'
import { SemanticCache } from '../../node/index.js'
import { Ledger } from '../../node/ledger/ledger.js'
import { LedgerTotals } from '../../node/ledger/totals.js'
import { serve, type ServeHandle, type ServeOptions } from '../../node/serve/serve.js'
import { Metrics } from '../../web/standard/telemetry/metrics.js'
import { projectPath } from '../fixtures/paths.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(60_000)

const token = 'afk_test_0123456789abcdef'
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
const open: { close(): Promise<void> | void }[] = []
const folders: string[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

async function start(options: ServeOptions = {}): Promise<{ server: ServeHandle; provider: ScriptedProvider }> {
  const provider = new ScriptedProvider()
  const { providers, ...config } = configOf(await provider.open())
  open.push(provider)
  const local = { ...providers!['local'], concurrency: 1 }
  const keys = [{ name: 'test', token }]
  const server = await serve({ port: 0, keys, config: { ...config, providers: { local } }, ...options })
  open.push(server)
  return { server, provider }
}

const ask = async ({ url }: ServeHandle, content: string): Promise<number> => {
  const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }] })
  const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
  await reply.text()
  return reply.status
}

/** Values by name and labels, as `name{a="b"}`. */
function valuesOf(text: string): Map<string, number> {
  return new Map(
    parsePrometheus(text).flatMap(({ name, metrics }) =>
      metrics.map(({ labels = {}, value }) => {
        const words = Object.entries(labels).map(([label, word]) => `${label}="${word}"`)
        return [words.length === 0 ? name : `${name}{${words.join(',')}}`, Number(value)] as const
      }),
    ),
  )
}

const scrape = async ({ url }: ServeHandle): Promise<Map<string, number>> =>
  valuesOf(await (await fetch(`${url}/metrics`, { headers })).text())

async function until(server: ServeHandle, name: string, value: number): Promise<Map<string, number>> {
  for (;;) {
    const values = await scrape(server)
    if (values.get(name) === value) return values
  }
}

test('calls in flight, requests that wait, and a breaker are told as they are', async () => {
  const { server, provider } = await start()
  const first = ask(server, 'hold one')
  await provider.holds(1)
  const second = ask(server, 'say two')
  const busy = await until(server, 'aetherflow_waiting{group="local"}', 1)
  expect(busy.get('aetherflow_calls_in_flight{group="local"}')).toBe(1)
  expect(busy.get('aetherflow_requests_in_flight')).toBe(2)
  expect(busy.get('aetherflow_breaker_open{group="local"}')).toBe(0)
  provider.releaseAll()
  expect(await Promise.all([first, second])).toEqual([200, 200])
  const idle = await until(server, 'aetherflow_requests_in_flight', 0)
  expect(idle.get('aetherflow_calls_in_flight{group="local"}')).toBe(0)
  expect(idle.get('aetherflow_waiting{group="local"}')).toBe(0)
  // Two attempts each: five failures in a row open it.
  for (let round = 0; round < 3; ++round) expect(await ask(server, 'fail 500')).toBeGreaterThanOrEqual(500)
  expect((await scrape(server)).get('aetherflow_breaker_open{group="local"}')).toBe(1)
})

test('the dashboard in examples/ asks for nothing that is not told', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-totals-'))
  folders.push(folder)
  const { server } = await start({ ledger: new Ledger({ XDG_STATE_HOME: folder }) })
  const told = new Set((await (await fetch(`${server.url}/metrics`, { headers })).text()).match(/aetherflow_\w+/g))
  const { panels } = JSON.parse(readFileSync(projectPath('examples/grafana.json'), 'utf8')) as {
    panels: { title: string; targets: { expr: string }[] }[]
  }
  const asked = panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/aetherflow_\w+/g) ?? []))
  expect(asked.length).toBeGreaterThan(10)
  expect(asked.map((name) => name.replace(/_bucket$/, '')).filter((name) => !told.has(name))).toEqual([])
})

test('the cache counts what it was asked in vain, and what it answered', async () => {
  const cache = await SemanticCache.open({})
  open.push(cache)
  const { server, provider } = await start({ cache })
  for (let round = 0; round < 3; ++round) expect(await ask(server, 'say one')).toBe(200)
  expect(provider.calls).toBe(1)
  const values = await scrape(server)
  expect(values.get('aetherflow_cache_lookups_total{result="miss"}')).toBe(1)
  expect(values.get('aetherflow_cache_lookups_total{result="exact"}')).toBe(2)
})

test('the user’s ledger is told as counters, which go on where the scrape before stopped', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-totals-'))
  folders.push(folder)
  const ledger = new Ledger({ XDG_STATE_HOME: folder })
  const { server } = await start({ ledger })
  expect((await scrape(server)).get('aetherflow_ledger_tool_calls_total')).toBe(0)
  const at = new Date().toISOString()
  const calls = { at, provider: 'groq', model: 'm', calls: 2, in: 30, cached: 10, out: 5, microUsd: 1500 }
  await ledger.add([
    { ...calls, by: 'cli' },
    { ...calls, by: 'mcp:claude-code' },
    { at, by: 'mcp:claude-code', tool: 'run_plan', asked: 20, told: 7 },
  ])
  const told = await scrape(server)
  const of = (name: string): number | undefined => told.get(`aetherflow_ledger_${name}`)
  expect(of('calls_total{provider="groq",caller="cli"}')).toBe(2)
  expect(of('cost_usd_total{provider="groq",caller="mcp:claude-code"}')).toBe(0.0015)
  for (const [kind, count] of Object.entries({ input: 20, cached: 10, output: 5 }))
    expect(of(`tokens_total{provider="groq",caller="cli",kind="${kind}"}`)).toBe(count)
  expect([of('off_quota_tokens_total'), of('assistant_tokens_total'), of('tool_calls_total')]).toEqual([35, 27, 1])
  // A line that is being written counts once it is whole.
  const file = path.join(ledger.folder, readdirSync(ledger.folder)[0] ?? '')
  const line = JSON.stringify({ ...calls, by: 'cli' })
  appendFileSync(file, line.slice(0, 40))
  const cli = 'aetherflow_ledger_calls_total{provider="groq",caller="cli"}'
  expect((await scrape(server)).get(cli)).toBe(2)
  appendFileSync(file, `${line.slice(40)}\n`)
  expect((await scrape(server)).get(cli)).toBe(4)
})

test('clients that name themselves make no more series than a bound', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-totals-'))
  folders.push(folder)
  const ledger = new Ledger({ XDG_STATE_HOME: folder })
  const at = new Date().toISOString()
  const one = { at, provider: 'groq', model: 'm', calls: 1, in: 1, cached: 0, out: 1, microUsd: 1 }
  await ledger.add(Array.from({ length: 300 }, (_, number) => ({ ...one, by: `mcp:c${number}` })))
  const [metrics, totals] = [new Metrics(), new LedgerTotals(ledger)]
  totals.addTo(metrics)
  await totals.read()
  const values = [...valuesOf(metrics.text())].filter(([name]) => name.startsWith('aetherflow_ledger_calls_total'))
  expect(values).toHaveLength(21)
  expect(values.find(([name]) => name.includes('caller="other"'))?.[1]).toBe(280)
})
