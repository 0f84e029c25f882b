// `aetherflow tune`: planted strengths are found, and where there is nothing to find nothing changes.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { BenchmarkData, BenchStep } from '../../node/bench/data.js'
import { tune, type Objective, type Rule } from '../../node/bench/tune.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const rules: Rule[] = [
  { name: 'analysis', type: 'analysis', use: ['a', 'b'], why: 'w' },
  { name: 'default', use: ['a', 'b', 'c'], why: 'd' },
]
const modelOf = (target: string): string | undefined => {
  const [provider = '', model = 'm'] = target.split('/')
  return ['a', 'b', 'c'].includes(provider) ? `${provider} ${model}` : undefined
}

interface Planted {
  readonly provider: string
  readonly model?: string
  /** Of each answer. */
  readonly ms: number
  readonly microUsd: number
  readonly right: number
  /** Share up and down. */
  readonly noise?: number
}

/** What an arm with one provider leaves: `runs` runs of `steps` steps. */
function arm(
  { provider, model = 'm', ms, microUsd, right, noise = 0.2 }: Planted,
  { seed = 1, type = 'analysis', rule = 'analysis', runs = 8, steps = 3, mode = 'build' } = {},
): BenchmarkData {
  const random = seeded(seed * 1000 + provider.charCodeAt(0))
  const vary = (value: number): number => value * (1 + noise * (2 * random() - 1))
  const step = (index: number): BenchStep => {
    const call = { purpose: 'main', provider, model, outcome: 'ok', responseMs: vary(ms) }
    return {
      ...{ id: `s${index}`, type, rule, state: 'done', provider, model, costMicroUsd: vary(microUsd) },
      ...{ firstTry: random() < right, calls: [call] },
    } as unknown as BenchStep
  }
  const all = Array.from({ length: runs }, (_, run) => ({
    ...{ seed: run + 1, mode },
    steps: Array.from({ length: steps }, (__, index) => step(index)),
  }))
  return { plan: { digest: 'p' }, runs: all } as unknown as BenchmarkData
}

const tuned = (objective: Objective, ...results: BenchmarkData[]) =>
  tune(results, { objective, mode: 'build', rules, modelOf })
const usual = { ms: 1000, microUsd: 500, right: 0.95 }

describe('planted strengths', () => {
  test('a cheaper model that is as often right takes the first place of its rule, with the reason', () => {
    const { rules: after, tunings } = tuned(
      'cost',
      arm({ ...usual, provider: 'a' }, { runs: 20 }),
      arm({ ...usual, provider: 'b', microUsd: 250 }, { runs: 20 }),
    )
    expect(tunings).toEqual([expect.objectContaining({ rule: 'analysis', now: 'a m', chosen: 'b m', changed: true })])
    expect(after[0]).toMatchObject({ use: ['b', 'a'], why: expect.stringMatching(/^measured: b m is \d+ % cheaper/) })
    expect(after[1]).toBe(rules[1])
  })
  test('a cheaper model that is wrong more often does not', () => {
    const { rules: after, tunings } = tuned(
      'cost',
      arm({ ...usual, provider: 'a' }, { runs: 20 }),
      arm({ ...usual, provider: 'b', microUsd: 100, right: 0.6 }, { runs: 20 }),
    )
    expect(after).toEqual(rules)
    expect(tunings[0]?.reason).toMatch(/does not decide: b m is \d+ % cheaper .* right at once/)
  })
  test('time and quality are objectives of their own', () => {
    const slow = arm({ ...usual, provider: 'a', right: 0.5 }, { runs: 20 })
    const quick = arm({ ...usual, provider: 'b', ms: 400, right: 0.98 }, { runs: 20 })
    for (const objective of ['time', 'quality'] as const)
      expect(tuned(objective, slow, quick).rules[0]?.use).toEqual(['b', 'a'])
    expect(tuned('cost', slow, quick).rules).toEqual(rules)
  })
  test('a rule for all types stays, and gets one before it for the type that was measured', () => {
    const where = { type: 'testing', rule: 'default', runs: 20 }
    const { rules: after } = tuned(
      'time',
      arm({ ...usual, provider: 'a' }, where),
      arm({ ...usual, provider: 'c', model: 'fast', ms: 300 }, where),
    )
    expect(after.map(({ name }) => name)).toEqual(['analysis', 'default-testing', 'default'])
    expect(after[1]).toMatchObject({ type: 'testing', use: ['c/fast', 'a', 'b', 'c'] })
    expect(after[2]).toBe(rules[1])
  })
})

/** The long proof takes more. */
const tables = process.env['AETHERFLOW_LONG'] === undefined ? 20 : 1000

describe('nothing to find', () => {
  test.each([
    ['no other model', [arm({ ...usual, provider: 'a' })], 'no other model was measured'],
    ['what is used now was not measured', [arm({ ...usual, provider: 'b' })], 'was not measured'],
    [
      'too few pairs',
      [arm({ ...usual, provider: 'a' }, { runs: 1 }), arm({ ...usual, provider: 'b', microUsd: 1 }, { runs: 1 })],
      'too few pairs',
    ],
  ])('%s', (_, results, reason) => {
    const { rules: after, tunings } = tuned('cost', ...results)
    expect(after).toEqual(rules)
    expect(tunings[0]).toMatchObject({ changed: false, reason: expect.stringContaining(reason) })
  })
  test('results of another mode do not count', () => {
    const other = { runs: 20, mode: 'fast' }
    expect(
      tuned('cost', arm({ ...usual, provider: 'a' }, other), arm({ ...usual, provider: 'b' }, other)).tunings,
    ).toEqual([])
  })
  test('equal models: a rule changes for one in twenty tables at most', () => {
    const changed = Array.from({ length: tables }, (_, seed) => {
      const results = ['a', 'b', 'c'].map((provider) => arm({ ...usual, provider }, { seed: seed + 1 }))
      return tuned('time', ...results).tunings.some((one) => one.changed)
    }).filter(Boolean).length
    console.log(`equal models: changed in ${changed} of ${tables} tables`)
    expect(changed).toBeLessThanOrEqual(tables / 10)
  })
})

describe('the command, on simulated profiles', () => {
  let folder = ''
  let remove = (): void => {}
  const at = (name: string): string => path.join(folder, name)
  const cli = (...words: string[]) => aetherflow(words, '', { cwd: folder })
  const arms = ['gemini', 'groq', 'deepseek'].flatMap((id) => ['--arm', `${id}=providers=${id}`])

  beforeAll(async () => {
    ;({ folder, remove } = scratch())
    const steps = [1, 2, 3].map((n) => ({
      ...{ id: `s${n}`, type: 'analysis', description: `Judge part ${n}`, complexity: 0.4, estimated_tokens: 300 },
    }))
    writeFileSync(at('plan.json'), JSON.stringify({ task_id: 't', description: 'd', steps }))
    const same = { firstTokenMs: 500, tokensPerSecond: 100, jitter: 0.2 }
    writeFileSync(at('equal.json'), JSON.stringify({ name: 'equal', providers: { '*': same } }))
    const groq = { ...same, tokensPerSecond: 300 }
    writeFileSync(at('planted.json'), JSON.stringify({ name: 'planted', providers: { '*': same, groq } }))
    for (const name of ['equal', 'planted']) {
      const simulate = `--simulate=./${name}.json`
      const { code } = await cli('bench', 'suite', 'plan.json', ...arms, simulate, '--repeat', '10', '--output', name)
      expect(code).toBe(0)
    }
  })
  afterAll(() => remove())

  test('finds the planted strength, in a configuration that a run takes', async () => {
    const ended = await cli('tune', 'planted', '--objective', 'time', '--out', 'tuned.json')
    expect([ended.code, ended.stderr]).toEqual([0, expect.stringContaining('→ groq openai/gpt-oss-120b')])
    expect(ended.stderr).toContain('Simulated (profile planted)')
    const config = JSON.parse(readFileSync(at('tuned.json'), 'utf8')) as { modes: { build: { rules: Rule[] } } }
    expect(config.modes.build.rules[0]).toMatchObject({
      name: 'analysis',
      use: ['groq', 'gemini', 'deepseek', 'openai'],
    })
    const explained = await cli('explain', 'plan.json', '--config', 'tuned.json', '--simulate')
    expect(explained.stdout).toMatch(/s1 +groq .* measured: /)
  })
  test('stays put where there is nothing to find', async () => {
    const ended = await cli('tune', 'equal', '--objective', 'time')
    expect([ended.code, ended.stdout]).toEqual([0, ''])
    expect(ended.stderr).toContain('nothing changes for time in mode build')
  })
  test('refuses what it cannot use', async () => {
    const mode = await cli('tune', 'equal', '--mode', 'none')
    expect([mode.code, mode.stderr]).toEqual([2, expect.stringContaining("no mode 'none'; there are build, fast")])
    const mixed = await cli('tune', 'equal', 'planted')
    expect([mixed.code, mixed.stderr]).toEqual([2, expect.stringContaining('tune by one kind')])
  })
})
