/** `aetherflow bench parallel`: a plan whose steps run at once, and the same one call at a time. */
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { simulatedProviders } from '../../web/standard/simulator/profiles.js'
import { pairsRemark, pairsTable, playPairs, sheetMetrics, type SheetMetric } from './arms-sheet.js'
import type { Sheet } from './sheet.js'
import { medianEstimate } from './statistics.js'

/** Six files and a summary that waits for all of them. */
const builtIn = JSON.stringify({
  task_id: 'parallel',
  description: 'Six files and a summary',
  steps: [
    ...Array.from({ length: 6 }, (_, index) => ({
      ...{ id: `file-${index + 1}`, type: index % 2 === 0 ? 'code_generation' : 'refactoring' },
      ...{ description: `Write file ${index + 1}`, complexity: 0.5, estimated_tokens: 800 },
    })),
    {
      ...{ id: 'summary', type: 'documentation', description: 'Summarise what was written', complexity: 0.3 },
      ...{ estimated_tokens: 200, dependencies: Array.from({ length: 6 }, (_, index) => `file-${index + 1}`) },
    },
  ],
})

const oneEach = Object.fromEntries(simulatedProviders.map((id) => [id, 1]))

/** One step after another is what their times add up to. */
const sequential: SheetMetric = {
  ...sheetMetrics.time,
  ...{ name: 'sumOfStepsMs', words: 'one step after another' },
  of: ({ report }) => report.sumOfStepsMs,
}

export async function benchParallel(setting: BenchSetting): Promise<Sheet> {
  const pairs = await playPairs(setting, builtIn, [
    { name: 'one call at each provider', run: (run) => ({ ...run, concurrency: oneEach }) },
    { name: 'at once', run: (run) => run },
  ])
  const { time, cost, done } = sheetMetrics
  const title = setting.own?.name ?? 'Six files and a summary'
  const names = ['one call at each provider', 'at once'] as const
  const { table, figures } = pairsTable(title, names, pairs, [time, sequential, cost, done])
  const speedup = medianEstimate(pairs.after.map(({ report }) => report.sumOfStepsMs / Math.max(1, report.makespanMs)))
  const bounds = Number.isFinite(speedup.low) ? ` [${speedup.low.toFixed(2)}, ${speedup.high.toFixed(2)}]` : ''
  return {
    name: 'parallel',
    title: 'A plan whose steps run at once, and one call at a time at each provider, the same seeds',
    simulated: setting.profile.name,
    tables: [
      table,
      {
        title: 'Speed-up of steps at once over one after another',
        heads: ['median', 'n'],
        rows: [[`${speedup.value.toFixed(2)}×${bounds}`, String(speedup.n)]],
      },
    ],
    remarks: [
      pairsRemark(setting.seeds.length),
      'A plan can be as fast as its longest chain of steps: `aetherflow explain` shows it as the critical path.',
    ],
    figures: { compared: figures, speedup },
  }
}
