/** `aetherflow bench prompt-cache`: the same plans with prompts made for the providers' caches and without, seed by seed. */
import { formatDuration, formatShare, formatUsdExact } from '../../web/standard/format.js'
import { hashText, pick, seeded } from '../../web/standard/simulator/random.js'
import { countTokens } from '../../web/standard/simulator/tokens.js'
import type { SimulatorProfile } from '../../web/standard/simulator/index.js'
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { playRun, type PlayedRun } from './played-run.js'
import { differenceWords, type Sheet } from './sheet.js'
import { mean, pairedDifference, type Estimate } from './statistics.js'

/** A plan and what it is run with. */
export interface CacheCase extends Pick<
  PlayedRun,
  'plan' | 'files' | 'documents' | 'mode' | 'providers' | 'concurrency'
> {
  readonly name: string
}

/** What one run came to. */
export interface CacheFigures {
  readonly hitRate: number
  readonly costMicroUsd: number
  readonly makespanMs: number
  /** Median over the calls. */
  readonly firstTokenMs: number
  readonly savedMicroUsd: number
}

export interface CacheComparison {
  readonly name: string
  readonly before: readonly CacheFigures[]
  readonly after: readonly CacheFigures[]
  readonly differences: Readonly<Record<keyof CacheFigures, Estimate>>
}

const keys = ['hitRate', 'costMicroUsd', 'makespanMs', 'firstTokenMs', 'savedMicroUsd'] as const

/** A text of about so many tokens, the same for the same name. */
export function fileOf(name: string, tokens: number): string {
  const random = seeded(hashText(name))
  const words = ['const', 'value', 'of', 'the', 'cache', 'entry', 'when', 'a', 'step', 'returns', '{', '}', '=', '42']
  const lines: string[] = []
  for (let left = tokens; left > 0;) {
    const line = Array.from({ length: 12 }, () => pick(random, words)).join(' ')
    lines.push(line)
    left -= countTokens(`${line}\n`)
  }
  return `${lines.join('\n')}\n`
}

/** `steps` independent steps on one file; `types` in turn. */
export function sharedFilePlan(steps: number, types: readonly string[], tokens = 1200): string {
  return JSON.stringify({
    task_id: 'shared-file',
    description: 'Review one file from several sides.',
    steps: Array.from({ length: steps }, (_, index) => ({
      id: `s${index + 1}`,
      type: types[index % types.length],
      description: `Look at part ${index + 1} of the file and say what can be done better there, with reasons.`,
      complexity: 0.4,
      estimated_tokens: tokens,
      dependencies: [],
      context: { files: ['shared.ts'] },
    })),
  })
}

/** Types whose roles differ: in its own layout each begins otherwise. */
const everyType = [
  ...['analysis', 'refactoring', 'code_generation', 'prototyping', 'brainstorming', 'documentation', 'testing'],
]

const oneFile = (tokens: number): Record<string, string> => ({ 'shared.ts': fileOf('shared', tokens) })

/** The built-in plans. Those of the first three share 3,200 tokens, the last one 30,000 at a provider with four places. */
export const cacheCases: readonly CacheCase[] = [
  {
    name: 'six steps at once, one file',
    plan: sharedFilePlan(6, ['code_generation']),
    ...{ files: oneFile(3200), providers: ['groq'] },
  },
  {
    name: 'four types, one file',
    plan: sharedFilePlan(6, ['analysis', 'code_generation', 'testing', 'documentation']),
    ...{ files: oneFile(3200), providers: ['groq'] },
  },
  {
    name: 'double-check, one file',
    plan: sharedFilePlan(6, ['code_generation']),
    ...{ files: oneFile(3200), providers: ['mistral', 'openai'], mode: 'double-check' },
  },
  {
    name: 'twelve steps, 30,000 tokens, four places',
    plan: sharedFilePlan(12, everyType, 600),
    ...{ files: oneFile(30_000), providers: ['deepseek'], concurrency: { deepseek: 4 } },
  },
]

async function figuresOf(run: PlayedRun): Promise<CacheFigures> {
  const { outcome, report } = await playRun(run)
  if (outcome !== 'ok') throw new Error(`the benchmark's run came to ${outcome}`)
  const { totals, makespanMs } = report
  return {
    hitRate: totals.promptCache.hitRate ?? 0,
    costMicroUsd: totals.costMicroUsd,
    makespanMs,
    firstTokenMs: totals.firstTokenMs.p50 ?? 0,
    savedMicroUsd: totals.promptCache.savedMicroUsd,
  }
}

/** Runs a case off and on, with the same seeds. */
export async function compareCaches(
  { name, ...plan }: CacheCase,
  profile: SimulatorProfile,
  seeds: readonly number[],
  use: 'auto' | 'always' = 'auto',
): Promise<CacheComparison> {
  const before: CacheFigures[] = []
  const after: CacheFigures[] = []
  for (const seed of seeds) {
    before.push(await figuresOf({ ...plan, profile, seed, promptCache: 'off' }))
    after.push(await figuresOf({ ...plan, profile, seed, promptCache: use }))
  }
  const difference = (key: keyof CacheFigures): Estimate =>
    pairedDifference(
      before.map((figures) => figures[key]),
      after.map((figures) => figures[key]),
    )
  const differences = Object.fromEntries(keys.map((key) => [key, difference(key)])) as CacheComparison['differences']
  return { name, before, after, differences }
}

export async function promptCacheSheet(
  cases: readonly CacheCase[],
  profile: SimulatorProfile,
  seeds: readonly number[],
): Promise<Sheet> {
  const compared: CacheComparison[] = []
  for (const one of cases) compared.push(await compareCaches(one, profile, seeds))
  const words = { hitRate: formatShare, costMicroUsd: formatUsdExact, makespanMs: formatDuration } as const
  const rows = compared.map(({ name, before, after, differences }) => {
    const cell = (key: keyof typeof words): string[] => {
      const [one, two] = [before, after].map((list) => mean(list.map((figures) => figures[key])))
      const shown = [one!, two!].map((value) => words[key](key === 'hitRate' ? value : Math.round(value))).join(' → ')
      return [key === 'hitRate' ? shown : `${shown}: ${differenceWords(differences[key], one!)}`]
    }
    return [name, ...cell('hitRate'), ...cell('costMicroUsd'), ...cell('makespanMs')]
  })
  return {
    name: 'prompt-cache',
    title: 'Prompts made for the providers’ caches, against each step in its own layout at once',
    simulated: profile.name,
    tables: [
      { title: `Off → on, means of ${seeds.length} pairs`, heads: ['plan', 'hit rate', 'cost', 'makespan'], rows },
    ],
    remarks: [
      'Intervals hold the paired difference with 95 % confidence; each pair has a seed of its own.',
      'The simulator charges and times prompts by each provider’s published rules; its speeds are inventions.',
    ],
    figures: { seeds, cases: compared },
  }
}

/** `aetherflow bench prompt-cache`. */
export const benchPromptCache = ({ seeds, profile, own }: BenchSetting): Promise<Sheet> =>
  promptCacheSheet(own === undefined ? cacheCases : [own], profile, seeds)
