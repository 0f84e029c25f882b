// Speeds of the user's own runs: kept by the ledger, used by explanations, and told with their number and age.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { explainMeasured, speedWords, userSpeeds } from '../../node/cli/measured-explanation.js'
import { RunEntry, Ledger } from '../../node/ledger/ledger.js'
import { mostSpeeds, readRecord, type CallsRecord } from '../../node/ledger/record.js'
import { measuredSpeeds, speedOf, withMeasured } from '../../node/ledger/speeds.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const now = new Date()
const record = (more: Partial<CallsRecord> = {}): CallsRecord => ({
  at: now.toISOString(),
  ...{ by: 'cli', provider: 'groq', model: 'openai/gpt-oss-120b' },
  ...{ calls: 5, in: 10, cached: 0, out: 500, microUsd: 7 },
  speeds: [200, 210, 220, 230, 240].map((ms) => [ms, 2 * ms] as const),
  ...more,
})
const table = { providers: { groq: { default: 'm', models: { m: { firstTokenMs: 900, tokensPerSecond: 50 } } } } }

describe('what a call says of its model', () => {
  const call = {
    ...{ outcome: 'ok' as const, tokensEstimated: false, firstTokenMs: 500, responseMs: 2500 },
    tokens: { input: 10, cached: 0, output: 400, reasoning: 0 },
  }
  test('its first token, and tokens per second after that', () => {
    expect(speedOf(call)).toEqual([500, 200])
  })
  test.each([
    ['failed', { outcome: 'failed' as const }],
    ['with counts that are estimated', { tokensEstimated: true }],
    ['not streamed', { firstTokenMs: null }],
    ['too short', { tokens: { ...call.tokens, output: 31 } }],
    ['with hidden thought', { tokens: { ...call.tokens, reasoning: 5 } }],
    ['all at once', { responseMs: 500 }],
  ])('%s: nothing', (_, more) => {
    expect(speedOf({ ...call, ...more })).toBeUndefined()
  })
})

describe('records', () => {
  test('medians of the latest calls, from five on', () => {
    expect(measuredSpeeds([record()])).toEqual([
      {
        ...{ provider: 'groq', model: 'openai/gpt-oss-120b', firstTokenMs: 220, tokensPerSecond: 440, n: 5 },
        newest: now.toISOString(),
      },
    ])
    expect(measuredSpeeds([record({ speeds: [[1, 2]] })])).toEqual([])
    const old = record({ at: '2020-01-01T00:00:00Z', speeds: Array.from({ length: 16 }, () => [9000, 1] as const) })
    const recent = Array.from({ length: 10 }, () => record())
    expect(measuredSpeeds([old, ...recent])[0]).toMatchObject({ firstTokenMs: 220, n: 50 })
  })
  test('lines with speeds that are none keep their sums', () => {
    const { speeds: _speeds, ...sums } = record()
    for (const speeds of ['x', [[1]], [[1, -2]], [['a', 2]], [null]])
      expect(readRecord(JSON.stringify({ ...sums, speeds }))).toEqual(sums)
    const many = Array.from({ length: 40 }, () => [1, 2])
    expect((readRecord(JSON.stringify({ ...sums, speeds: many })) as CallsRecord).speeds).toHaveLength(mostSpeeds)
  })
  test('what the user configured stays; what nobody knows is left out', () => {
    const speed = { provider: 'groq', firstTokenMs: 100, tokensPerSecond: 10, n: 5, newest: now.toISOString() }
    const own = { providers: { groq: { models: { mine: { tokensPerSecond: 7 } } } } }
    const speeds = ['m', 'mine', 'gone'].map((model) => ({ ...speed, model }))
    const { config, source } = withMeasured(table, own, speeds)
    expect(config.providers?.['groq']?.models).toEqual({
      ...{ mine: { tokensPerSecond: 7 }, m: { firstTokenMs: 100, tokensPerSecond: 10 } },
    })
    expect(['m', 'mine', 'gone'].map((model) => source('groq', model).source)).toEqual([
      ...['measured', 'configuration', 'table'],
    ])
  })
})

describe('from a run to an explanation', () => {
  let folder = ''
  let remove = (): void => {}
  const plan = {
    ...{ task_id: 't', description: 'd' },
    steps: [{ id: 'a', type: 'prototyping', description: 'Sketch it', complexity: 0.3, estimated_tokens: 400 }],
  }
  beforeAll(() => {
    ;({ folder, remove } = scratch())
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan))
  })
  afterAll(() => remove())

  test('calls of a run leave speeds in the ledger', async () => {
    const env = { XDG_STATE_HOME: path.join(folder, 'a') }
    const entry = new RunEntry(new Ledger(env), 'cli')
    for (let call = 0; call < 6; call++)
      entry.event({
        ...{ type: 'callEnd', at: 0, step: 'a', call, purpose: 'main', attempt: 0, provider: 'groq', model: 'm' },
        ...{ outcome: 'ok', tokens: { input: 1, cached: 0, output: 100, reasoning: 0 }, tokensEstimated: false },
        ...{ costMicroUsd: 1, firstTokenMs: 100 + call, responseMs: 1100 + call },
      })
    expect(await entry.close()).toBeUndefined()
    expect(await userSpeeds(env)).toEqual([expect.objectContaining({ model: 'm', tokensPerSecond: 100, n: 6 })])
    // What a run taught does not count for what was expected of it.
    expect(await userSpeeds(env, new Date(now.getTime() - 1000))).toEqual([])
  })

  test('an explanation is by them, and says so with number and age; without them it is by the table', async () => {
    const env = { XDG_STATE_HOME: path.join(folder, 'b') }
    const before = await explainMeasured(plan, { config: {} }, env)
    expect(before.speeds).toEqual([{ provider: 'groq', model: 'openai/gpt-oss-120b', source: 'table' }])
    const slow = record({ speeds: Array.from({ length: 6 }, () => [5000, 10] as const) })
    await new Ledger(env).add([slow])
    const after = await explainMeasured(plan, { config: {} }, env)
    expect(after.report.makespanMs).toBeGreaterThan(before.report.makespanMs + 5000)
    expect(speedWords(after.speeds, now.getTime() + 7_200_000)).toBe(
      'by your own runs: groq openai/gpt-oss-120b (6 calls, the newest 2h 00m ago: 5.0 s + 10 tokens/s)',
    )
    const cli = await aetherflow(['explain', 'plan.json'], '', { cwd: folder, env })
    expect(cli.stdout).toMatch(/speeds +by your own runs: groq openai\/gpt-oss-120b \(6 calls/)
    const json = await aetherflow(['explain', 'plan.json', '--json'], '', { cwd: folder, env })
    expect(JSON.parse(json.stdout)).toMatchObject({ speeds: [{ source: 'measured', measured: { n: 6 } }] })
    const simulated = await aetherflow(['explain', 'plan.json', '--simulate'], '', { cwd: folder, env })
    expect(simulated.stdout).not.toContain('speeds ')
  })
})
