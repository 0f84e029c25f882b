/** An explanation by the speeds of the user's own earlier runs where they are known, by the configuration's or the table's else. */
import { CoreRun } from '../../bindings/core.js'
import type { RunReport } from '../../bindings/events.js'
import { formatDuration, oneLine } from '../../web/standard/format.js'
import type { PlanSource } from '../../web/standard/run/plan-source.js'
import type { Environment } from '../folders.js'
import { explainPlan, type CheckOptions } from '../index.js'
import { Ledger } from '../ledger/ledger.js'
import { measuredSpeeds, speedDays, withMeasured, type MeasuredSpeed, type SpeedSource } from '../ledger/speeds.js'
import { loadCore } from '../loader.js'
import { setUp } from '../run/execute.js'

/** Of the days up to `until`; none where there is no ledger, or none that can be read. */
export async function userSpeeds(env: Environment, until = new Date()): Promise<MeasuredSpeed[]> {
  const from = new Date(until.getTime() - speedDays * 86_400_000)
  const { records } = await new Ledger(env).read(from).catch(() => ({ records: [] }))
  return measuredSpeeds(records.filter(({ at }) => Date.parse(at) <= until.getTime()))
}

type Explained = Awaited<ReturnType<typeof explainPlan>>

/**
 * As `explainPlan`; `speeds`: of each model that is called, where its speed comes from. Empty for what is simulated. `until`: what came
 * later does not count, as a run must not be compared with what it taught itself.
 */
export async function explainMeasured(
  plan: PlanSource,
  options: CheckOptions,
  env: Environment,
  until?: Date,
): Promise<Explained & { readonly speeds: readonly SpeedSource[] }> {
  if (options.simulate !== undefined && options.simulate !== false)
    return { ...(await explainPlan(plan, options)), speeds: [] }
  const core = new CoreRun(await loadCore())
  try {
    const { config: own } = await setUp(core, options)
    const { config, source } = withMeasured(core.document('defaults'), own, await userSpeeds(env, until))
    const { configFile: _file, project: _project, ...rest } = options
    const explained = await explainPlan(plan, { ...rest, config })
    return { ...explained, speeds: modelsOf(explained.report).map(([provider, model]) => source(provider, model)) }
  } finally {
    core.dispose()
  }
}

function modelsOf({ steps }: RunReport): (readonly [provider: string, model: string])[] {
  const calls = steps.flatMap((step) => step.calls)
  return [
    ...new Map(calls.map(({ provider, model }) => [`${provider}\n${model}`, [provider, model] as const])).values(),
  ]
}

/** `speeds by your own runs: groq … (12 calls, the newest 2h 03m ago, 480 ms + 390 tokens/s); by the table: …`. */
export function speedWords(speeds: readonly SpeedSource[], now = Date.now()): string | undefined {
  if (speeds.length === 0) return undefined
  const name = ({ provider, model }: SpeedSource): string => oneLine(`${provider} ${model}`)
  const measured = speeds.flatMap((one) => {
    if (one.measured === undefined) return []
    const { n, newest, firstTokenMs, tokensPerSecond } = one.measured
    const age = formatDuration(Math.max(0, now - Date.parse(newest)))
    const speed = `${formatDuration(firstTokenMs)} + ${Math.round(tokensPerSecond)} tokens/s`
    return [`${name(one)} (${n} calls, the newest ${age} ago: ${speed})`]
  })
  const of = (source: SpeedSource['source']): string[] => speeds.filter((one) => one.source === source).map(name)
  const parts = [
    ['by your own runs', measured],
    ['by the configuration', of('configuration')],
    ['by the table', of('table')],
  ] as const
  return parts
    .filter(([, names]) => names.length > 0)
    .map(([how, names]) => `${how}: ${names.join(', ')}`)
    .join('; ')
}
