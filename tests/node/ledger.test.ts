/** The ledger: many processes at once, lines that were cut short, sums, and what the command line and the tools write into it. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { callerName, Ledger, RunEntry } from '../../node/ledger/ledger.js'
import type { CallsRecord } from '../../node/ledger/record.js'
import { since, usageLines, usageOf } from '../../node/ledger/usage.js'
import { startSimulatorServer, type SimulatorServer } from '../../node/simulator-server.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { root } from '../checks/sources.js'
import { aetherflow, Process } from './cli-process.js'
import { Place, overStdio, planOf, step } from './mcp-client.js'

jest.setTimeout(60_000)

const folders: string[] = []
const fresh = (): Ledger => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-ledger-'))
  folders.push(folder)
  return new Ledger({ XDG_STATE_HOME: folder })
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const now = new Date()
const record = (more: Partial<CallsRecord> = {}): CallsRecord => ({
  at: now.toISOString(),
  by: 'cli',
  provider: 'groq',
  model: 'm',
  ...{ calls: 1, in: 10, cached: 2, out: 5, microUsd: 7 },
  ...more,
})
const fileOf = (ledger: Ledger): string => path.join(ledger.folder, readdirSync(ledger.folder)[0] ?? '')

describe('the file', () => {
  test('takes what several processes write at once, every line of it', async () => {
    const ledger = fresh()
    const module = pathToFileURL(path.join(root, 'dist/node/ledger/ledger.js')).href
    const script = `import { Ledger } from ${JSON.stringify(module)}
      const ledger = new Ledger(process.env)
      for (let i = 0; i < 50; i++) await ledger.add([1, 2].map((calls) => ({ ...${JSON.stringify(record())}, by: process.argv[1], calls })))`
    const env = { PATH: process.env['PATH'], XDG_STATE_HOME: path.dirname(path.dirname(ledger.folder)) }
    const work = ['a', 'b', 'c', 'd'].map((name) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, name], { env }),
    )
    await Promise.all(work)
    const usage = await usageOf(ledger, 1, now)
    expect(usage.broken).toBe(0)
    expect([...usage.byCaller].map(([by, { calls }]) => [by, calls])).toEqual(
      ['a', 'b', 'c', 'd'].map((by) => [by, 150]),
    )
  })

  test('is for its user alone, and a line that a killed process cut short spoils itself only', async () => {
    const ledger = fresh()
    await ledger.add([record()])
    appendFileSync(fileOf(ledger), '\n{"at":"2026-')
    await ledger.add([record()])
    appendFileSync(fileOf(ledger), '\nnull\n[]\n{"at":"x","by":"cli"}\n{"at":1}\n')
    const usage = await usageOf(ledger, 1, now)
    expect([usage.total.calls, usage.broken]).toEqual([2, 5])
    expect(statSync(fileOf(ledger)).mode & 0o777).toBe(0o600)
    expect(statSync(ledger.folder).mode & 0o777).toBe(0o700)
  })

  test('nobody has one whose home is not there, and nothing fails for it', async () => {
    const home = path.join(tmpdir(), 'no-home-of-anybody')
    const ledger = new Ledger({ HOME: home })
    await ledger.add([record()])
    expect(existsSync(home)).toBe(false)
    expect((await usageOf(ledger, 1)).total.calls).toBe(0)
  })

  test.each([
    ['Claude Code', 'claude-code'],
    ['mcp:Cursor 2\n"x"', 'mcp:cursor-2-x-'],
    ['', 'unknown'],
    ['x'.repeat(500), 'x'.repeat(60)],
  ])('a caller called %j is %s', (given, kept) => expect(callerName(given)).toBe(kept))
})

describe('sums', () => {
  test('by day, provider and caller; what stayed off the quota is of assistants alone', async () => {
    const ledger = fresh()
    const days = (n: number): string => new Date(now.getTime() - n * 86_400_000).toISOString()
    await ledger.add([
      record(),
      record({ provider: 'gemini', by: 'mcp:cursor', in: 100, out: 50, estimated: 1 }),
      record({ at: days(2), by: 'mcp', in: 1000, out: 500 }),
      { at: days(0), by: 'mcp:cursor', tool: 'run_plan', asked: 30, told: 12 },
    ])
    // Another month, in the file of its own.
    await ledger.add([record({ at: days(40), calls: 1000 })])
    const usage = await usageOf(ledger, 7, now)
    expect(usage.total).toEqual({ calls: 3, input: 1110, cached: 6, output: 555, microUsd: 21, estimated: 1 })
    expect([...usage.byDay.values()].map(({ calls }) => calls)).toEqual([1, 2])
    expect([...usage.byProvider.keys()]).toEqual(['gemini', 'groq'])
    expect([...usage.byCaller.keys()]).toEqual(['cli', 'mcp', 'mcp:cursor'])
    expect(usage.offQuota).toEqual({ delegated: 1650, spent: 42, toolCalls: 1 })
    expect((await usageOf(ledger, 60, now)).total.calls).toBe(1003)
    const lines = usageLines(usage)
    expect(lines[0]).toBe('last 7 days: 3 calls, 1,110 in, 555 out, <$0.0001')
    expect(lines).toContain("off the assistant's quota: 1,650 tokens; its own part: 42 in 1 tool call")
    expect(lines.at(-1)).toMatch(/^counted as providers report tokens/)
  })

  test('a day begins at midnight where the user is', () => {
    const noon = new Date(2026, 10, 30, 12)
    expect(since(1, noon)).toEqual(new Date(2026, 10, 30))
    expect(since(30, noon)).toEqual(new Date(2026, 10, 1))
  })
})

describe('an entry of a run', () => {
  const ends = (at: number, outcome: 'ok' | 'refused' | 'withheld' | 'failed', more: object = {}) => ({
    ...{
      type: 'callEnd' as const,
      at,
      step: 's',
      call: 0,
      purpose: 'main' as const,
      attempt: 0,
      provider: 'p',
      model: 'm',
    },
    ...{ outcome, tokens: { input: 5, cached: 1, output: 2, reasoning: 0 }, tokensEstimated: false, costMicroUsd: 3 },
    ...{ firstTokenMs: 1, responseMs: 2, ...more },
  })

  test('counts calls that left, those that failed too, and is written as the run goes on', async () => {
    const ledger = fresh()
    const entry = new RunEntry(ledger, 'cli')
    entry.event(ends(10, 'ok'))
    entry.event(ends(20, 'refused'))
    entry.event(ends(30, 'withheld'))
    entry.event(ends(40, 'failed', { tokensEstimated: true }))
    entry.event(ends(5000, 'ok', { model: 'n' }))
    expect(await entry.close()).toBeUndefined()
    const { records } = await ledger.read(since(1, now))
    expect(records).toMatchObject([
      { model: 'm', calls: 2, in: 10, cached: 2, out: 4, microUsd: 6, estimated: 1 },
      { model: 'n', calls: 1 },
    ])
  })

  test('a ledger that cannot be written takes nothing from the run', async () => {
    const ledger = fresh()
    await ledger.add([record()])
    const file = fileOf(ledger)
    rmSync(ledger.folder, { recursive: true })
    writeFileSync(ledger.folder, 'a file where the folder was')
    const entry = new RunEntry(ledger, 'cli')
    entry.event(ends(10, 'ok'))
    expect(await entry.close()).toMatchObject({ code: 'ENOTDIR' })
    expect(existsSync(file)).toBe(false)
  })
})

describe('with providers that are asked over the network', () => {
  const place = new Place()
  const key = 'canary-key-of-the-user-0123456789'
  let providers: SimulatorServer
  let words: string[]
  const env = (): Record<string, string> => ({ ...place.env, GROQ_API_KEY: key })
  beforeAll(async () => {
    providers = await startSimulatorServer(createSimulator(simulatorProfiles.instant))
    const config = place.write(
      'config.json',
      JSON.stringify({ providers: { groq: { baseUrl: `${providers.url}/groq/openai/v1` } } }),
    )
    words = ['--config', config]
  })
  afterAll(async () => {
    await providers.close()
    place.remove()
  })
  const usage = async () => {
    const { stdout } = await aetherflow(['usage', '--json'], '', { env: env() })
    return JSON.parse(stdout) as {
      byCaller: Record<string, { calls: number; input: number }>
      offQuota: { delegated: number; spent: number }
    }
  }

  test('the command line counts its runs, once though they are resumed, and no simulated one', async () => {
    const plan = place.write(
      'p.json',
      JSON.stringify(planOf(step('a', { provider: 'groq' }), step('b', { provider: 'groq' }))),
    )
    const out = path.join(place.root, 'out')
    const ran = await aetherflow(['run', plan, '--quiet', '--output', out, ...words], '', { env: env() })
    expect([ran.code, ran.stderr]).toEqual([0, ''])
    expect((await usage()).byCaller['cli']?.calls).toBe(2)
    await aetherflow(['run', '--quiet', '--output', out, '--resume', '--files', path.dirname(plan), ...words], '', {
      env: env(),
    })
    await aetherflow(['run', plan, '--quiet', '--no-output', '--simulate', 'instant'], '', { env: env() })
    expect((await usage()).byCaller['cli']?.calls).toBe(2)
    await aetherflow(['generate', 'hello', ...words], '', { env: env() })
    expect((await usage()).byCaller['cli']?.calls).toBe(3)
  })

  test('a server counts what it answers', async () => {
    const server = new Process(['serve', '--port', '0', '--no-auth', ...words], { env: env() })
    await server.until('/v1\n')
    const response = await fetch(`${server.stdout.trim()}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hello' }] }),
    })
    expect([response.status, await response.json()]).toMatchObject([200, { object: 'chat.completion' }])
    server.child.kill('SIGTERM')
    await server.exit()
    expect((await usage()).byCaller['serve']?.calls).toBe(1)
  })

  test('a run of a tool counts for its client, off its quota; the key is in no answer, log or record', async () => {
    const real = Object.create(place, {
      env: { get: env },
      words: {
        value: () => [...place.words('--budget', '1', ...words)].filter((word) => !word.startsWith('--simulate')),
      },
    }) as Place
    const { client, call, close } = await overStdio(real, 'modern')
    try {
      const plan = planOf(step('a', { provider: 'groq' }))
      const run = await call('run_plan', { plan, wait_ms: 20_000 })
      expect(run.text).toContain('1 of 1 steps ok')
      const told = [run.text, (await call('usage')).text, JSON.stringify(await client.listTools())]
      expect(told[1]).toMatch(/mcp:test-modern {2}1 call,/)
      const { byCaller, offQuota } = await usage()
      expect(byCaller['mcp:test-modern']?.calls).toBe(1)
      expect(offQuota.delegated).toBeGreaterThan(50)
      expect(offQuota.spent).toBeGreaterThan(20)
      const files = [place.root, place.state].flatMap((folder) =>
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name)),
      )
      expect(files.length).toBeGreaterThan(5)
      for (const text of [...told, ...files.map((file) => readFileSync(file, 'utf8'))]) expect(text).not.toContain(key)
    } finally {
      await close()
    }
  })
})
