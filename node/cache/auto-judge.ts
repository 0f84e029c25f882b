/** The judge of `judge: 'auto'`: each question is a run of one step, on the cheapest model that the configuration has. */
import { modelJudge, paidFailure, type CacheJudge } from '../../web/standard/cache/judge.js'
import type { PlanOptions } from '../options.js'
import { execute } from '../run/execute.js'

/** What a question may take, ms; after that there is no verdict. */
const mostMs = 15_000

/**
 * Limits, waits, retries, prices and the simulator are those of any run (mode `analysis-fast`, unless `options` say another). Without a
 * key or with a failed call the judge has no verdict.
 */
export function autoJudge(options: PlanOptions = {}): CacheJudge {
  return modelJudge(async (prompt) => {
    const plan = { task_id: 'cache-judge', description: '', steps: [stepOf(prompt)] }
    const settings = {
      mode: 'analysis-fast',
      strip: false,
      promptCache: 'off',
      checks: false,
      documents: false,
    } as const
    const signal = AbortSignal.timeout(mostMs)
    const run = await execute(plan, { ...settings, ...options, signal }, nothing, nothing)
    const text = run.outputs.get('verdict')
    const microUsd = run.report.totals.costMicroUsd
    if (text === undefined)
      throw paidFailure(`the question ended ${run.outcome}: ${run.report.steps[0]?.failure ?? 'no answer'}`, microUsd)
    return { text, microUsd }
  })
}

/** A text of strangers may name other steps in braces: in a JSON string they can be written otherwise. */
const stepOf = (prompt: string): object => ({
  ...{ id: 'verdict', type: 'analysis', description: prompt.replaceAll('{{', '{\\u007b') },
  ...{ complexity: 0.1, estimated_tokens: 64, output: 'text', cache: 'off', dependencies: [] },
})

const nothing = (): void => undefined
