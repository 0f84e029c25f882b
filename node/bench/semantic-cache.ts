/** `aetherflow bench semantic-cache`: a plan with an empty cache, again, and asked in other words; and what is served wrongly. */
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { formatCount, formatDuration, formatShare, formatUsd } from '../../web/standard/format.js'
import { SemanticCache } from '../cache/semantic-cache.js'
import { ownContext, playRun, type PlayedResult, type PlayedRun } from './played-run.js'
import type { Sheet } from './sheet.js'
import { median, shareEstimate } from './statistics.js'

/** What is asked, the same in other words, and what looks alike and asks for something else. */
const questions: readonly (readonly [asked: string, reworded: string, other: string])[] = [
  [
    'Explain how the retry policy waits between two attempts',
    'Explain how the retry policy waits between 2 attempts',
    'Explain how the retry policy counts attempts of two providers',
  ],
  [
    'List the limits of the plan reader',
    'List the limits of the reader of plans',
    'List the limits of the journal reader',
  ],
  [
    'Describe what happens when the disk is full',
    'Describe what happens if the disk is full',
    'Describe what happens when the disk is not full',
  ],
  [
    'Document the options of the cache',
    'Document the cache’s options',
    'Document the options of the cache that were removed',
  ],
  [
    'Explain why two identical requests are called once',
    'Explain why two requests that are identical are called once',
    'Explain why two different requests are called twice',
  ],
  [
    'Summarise the rules for naming files',
    'Summarise the rules of naming files',
    'Summarise the rules for deleting files',
  ],
]

function plan(column: 0 | 1 | 2): string {
  const steps = questions.map((texts, index) => ({
    ...{ id: `question-${index + 1}`, type: 'analysis', description: texts[column] },
    ...{ complexity: 0.3, estimated_tokens: 300 },
  }))
  return JSON.stringify({ task_id: 'semantic-cache', description: 'Questions about a project', steps })
}

interface Pass {
  readonly name: string
  readonly plan: string
}

export async function benchSemanticCache({ seeds, profile, own }: BenchSetting): Promise<Sheet> {
  const passes: Pass[] =
    own === undefined
      ? [
          { name: 'empty', plan: plan(0) },
          { name: 'the same again', plan: plan(0) },
          { name: 'in other words', plan: plan(1) },
          { name: 'alike, but something else', plan: plan(2) },
        ]
      : [
          { name: 'empty', plan: own.plan },
          { name: 'the same again', plan: own.plan },
        ]
  const results = new Map<Pass, PlayedResult[]>(passes.map((pass) => [pass, []]))
  for (const seed of seeds) {
    const cache = await SemanticCache.open()
    try {
      for (const pass of passes) {
        const run: PlayedRun = {
          ...{ plan: pass.plan, ...ownContext(own), profile, seed },
          ...{ cache, cacheModes: { '*': 'semantic' } },
        }
        results.get(pass)!.push(await playRun(run))
      }
    } finally {
      await cache.close()
    }
  }
  const figures = passes.map((pass) => passFigures(pass, results.get(pass)!))
  return {
    name: 'semantic-cache',
    title: 'A plan with an empty cache, and what the cache serves after that',
    simulated: profile.name,
    tables: [
      {
        title: own?.name ?? `${questions.length} questions`,
        heads: ['', 'answered without a call', 'the same request', 'in other words', 'time', 'cost'],
        rows: figures.map(({ pass, hits, asked, exact, semantic, timeMs, costMicroUsd }) => [
          ...[pass, `${formatShare(hits / Math.max(1, asked))} (${formatCount(hits)} of ${formatCount(asked)})`],
          ...[formatCount(exact), formatCount(semantic), formatDuration(timeMs), formatUsd(costMicroUsd)],
        ]),
      },
    ],
    remarks: [
      `Sums over ${seeds.length} runs of each, times and cost as medians; by the built-in embedder, which knows words and spellings and no meanings.`,
      'What is alike but asks for something else must be called: each such hit would be a wrong answer.',
      'Your own questions: `aetherflow cache evaluate PAIRS.tsv`, with the bound on wrong answers that you would use.',
    ],
    figures,
  }
}

function passFigures({ name }: Pass, results: readonly PlayedResult[]) {
  const sum = (of: (cache: NonNullable<PlayedResult['report']['cache']>) => number): number =>
    results.reduce((total, { report }) => total + (report.cache === undefined ? 0 : of(report.cache)), 0)
  const [exact, semantic, shared, misses] = [
    sum((cache) => cache.exact),
    sum((cache) => cache.semantic),
    sum((cache) => cache.shared),
    sum((cache) => cache.misses),
  ]
  const hits = exact + semantic + shared
  return {
    ...{ pass: name, asked: hits + misses, hits, exact, semantic, shared },
    hitRate: shareEstimate(hits, hits + misses),
    timeMs: median(results.map(({ report }) => report.makespanMs)),
    costMicroUsd: median(results.map(({ report }) => report.totals.costMicroUsd)),
  }
}
