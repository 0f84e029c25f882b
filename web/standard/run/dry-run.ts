/** What hosts do with a plan without a call: it is read for a verdict, or carried out on the virtual clock. */
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { Explanation, RouteInfo, StepDocumentsReport, StepInfo } from '../../../bindings/events.js'
import { withTarget } from '../../../bindings/feed.js'
import type { DocumentFinder, FileReader } from '../../../bindings/ports.js'
import { explanationOf } from '../../../bindings/report-rows.js'
import { saysRules } from '../../../bindings/run-parts.js'
import { documentsReport, retrievedSignal } from '../../../bindings/step-documents.js'
import type { Config, ProviderConfig } from '../config.js'
import type { SimulatorProfile } from '../simulator/index.js'
import type { Case, SpreadInfo } from '../spread/explained.js'
import { planBytes, wholePlan, type PlanSource } from './plan-source.js'
import { beginOptions, planError, type PlanSettings } from './setup.js'

/** A plan that was only read. `dot`: its graph in Graphviz's language. */
export interface CheckedPlan {
  readonly steps: StepInfo[]
  readonly warnings: { readonly code: string; readonly where: string; readonly detail: string }[]
  readonly dot: string
  /** What is found for the steps that ask for documents; empty where nothing was looked for. */
  readonly documents: readonly FoundForStep[]
  /** Steps that spread into others. */
  readonly spread: readonly SpreadInfo[]
}

/** A plan on the virtual clock. `assumed`: providers that were taken for configured, as none has a key. */
export type ExplainedPlan = Explanation & {
  routes: RouteInfo[]
  assumed: readonly string[]
  /** What is found for the steps that ask for documents; empty where nothing was looked for. */
  documents: readonly FoundForStep[]
}

/** Feeds a whole plan; goes on after a plan error to tell malformed text from a wrong plan, then throws the verdict. */
async function feed(core: CoreRun, plan: PlanSource): Promise<void> {
  const bytes = planBytes(plan)
  let failed = false
  const push = (chunk: Uint8Array): void => {
    try {
      core.planBytes(chunk, 0)
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code.startsWith('host.')) throw error
      failed = true
    }
  }
  if (bytes instanceof Uint8Array) push(bytes)
  else for await (const chunk of bytes) push(chunk)
  try {
    core.planEnd(0)
  } catch (error) {
    if (!failed) throw error
    throw planError(core)
  }
}

/** What a check or an explanation looks at beside the plan, so that it sees what a run will see. */
export interface Surroundings {
  readonly config: Config
  /** Ids of all providers. */
  readonly all: readonly string[]
  /** Context files; absent: they are not looked at. */
  readonly files?: FileReader | undefined
  /** Documents; absent: what steps ask for counts as large as they ask for. */
  readonly documents?: DocumentFinder | undefined
}

/** What would be found for a step. */
export type FoundForStep = StepDocumentsReport & { readonly step: string }

/** Tells the core what documents and context files weigh. Rejects as `Retriever` and `weighFiles`. */
async function weigh(core: CoreRun, { files, documents }: Partial<Surroundings>): Promise<FoundForStep[]> {
  const estimate = (text: string): number => core.estimateTokens(text)
  const steps = core.document<StepInfo[]>('steps').map(withTarget)
  const all: FoundForStep[] = []
  const retriever = documents && new (await import('../../../bindings/retrievals.js')).Retriever(documents, estimate)
  for (const step of steps) {
    const found = await retriever?.find(step)
    if (found === undefined) continue
    core.signal('retrieved', retrievedSignal(step.step, found, undefined).values, 0)
    all.push({ step: step.id, ...documentsReport(found) })
  }
  if (files === undefined) return all
  const { weighFiles } = await import('../../../bindings/weigh.js')
  for (const weight of await weighFiles(files, steps, estimate)) core.weighed(weight, 0)
  return all
}

/**
 * Reads a plan through a fresh core. Rejects with json.* or plan.*; with `surroundings` also with route.* for providers and models
 * that there are not, options.invalid for the configuration, and host.* for context files that cannot be read.
 */
export async function checkWith(
  core: CoreRun,
  plan: PlanSource,
  options: PlanSettings = {},
  surroundings?: Surroundings,
): Promise<CheckedPlan> {
  if (surroundings !== undefined) core.begin(beginOptions(options, surroundings.config, surroundings.all), 0)
  await feed(core, plan)
  const spread = saysRules(core, core.document('steps'))
    ? await (await import('../spread/explained.js')).checkSpread(core, surroundings?.files)
    : []
  const documents = await weigh(core, surroundings ?? {})
  return {
    spread,
    steps: core.document('steps'),
    warnings: core.document('warnings'),
    dot: core.documentText('dot'),
    documents,
  }
}

/**
 * Runs a plan on the virtual clock of a fresh core. `keyed`: providers that can be called; none: `all` count as configured.
 * `profile`: the simulator's, whose times and answers are then taken for the providers' own.
 */
export async function explainWith(
  core: CoreRun,
  plan: PlanSource,
  options: PlanSettings,
  { config, keyed, all, files, documents, profile, checks, anotherCore }: Surroundings & ExplainedWith,
): Promise<ExplainedPlan> {
  const known = profile === undefined ? config : playedConfig(core.document('defaults'), config, profile)
  const begin = { ...beginOptions(options, known, keyed.length > 0 ? keyed : all), checks }
  const bytes = await wholePlan(planBytes(plan))
  const explained = async (on: CoreRun, which: Case) => {
    on.begin(profile === undefined ? begin : { ...begin, answers: answersOf(profile) }, 0)
    await feed(on, bytes)
    const rules = saysRules(on, on.document('steps')) ? await import('../spread/explained.js') : undefined
    const until = await rules?.spreadOut(on, files, which)
    const found = await weigh(on, { files, documents })
    return { explanation: explanationOf(on), found, rules, until }
  }
  const { explanation, found, rules, until = [] } = await explained(core, 'most')
  const other = async (which: Case): Promise<Explanation> => {
    const on = anotherCore?.()
    if (on === undefined) return explanation
    try {
      return (await explained(on, which)).explanation
    } finally {
      on.dispose()
    }
  }
  const range =
    rules === undefined || anotherCore === undefined
      ? {}
      : {
          range: rules.rangeOf(
            { least: await other('least'), expected: await other('expected'), most: explanation },
            until,
          ),
        }
  return {
    ...explanation,
    ...range,
    routes: core.document('routes'),
    assumed: keyed.length > 0 ? [] : all,
    documents: found,
  }
}

export interface ExplainedWith {
  readonly keyed: readonly string[]
  /** For the least and the expected case of a plan with rules; absent: they are not told. */
  readonly anotherCore?: (() => CoreRun) | undefined
  readonly profile?: SimulatorProfile | undefined
  /** The run's host checks answers: what a rubric is put to costs a call. */
  readonly checks?: boolean | undefined
}

const answersOf = ({ answerTokens, answerShare }: SimulatorProfile): object => ({
  ...(answerTokens === undefined ? {} : { tokens: answerTokens }),
  ...(answerShare === undefined ? {} : { share: answerShare }),
})

/** The configuration with the profile's speeds, in its own time, for every model of the providers that it plays. */
function playedConfig(defaults: unknown, config: Config, profile: SimulatorProfile): Config {
  const built = (defaults as Config).providers ?? {}
  const providers: Record<string, ProviderConfig> = { ...config.providers }
  for (const [id, { firstTokenMs, tokensPerSecond, promptTokensPerSecond = Infinity }] of Object.entries(
    profile.providers,
  )) {
    const own = config.providers?.[id]
    const speed = {
      firstTokenMs,
      tokensPerSecond: Math.min(1e6, Math.max(1, tokensPerSecond)),
      promptTokensPerSecond: Math.min(1e7, Math.max(100, promptTokensPerSecond)),
    }
    const models = Object.keys({ ...built[id]?.models, ...own?.models })
    providers[id] = {
      ...own,
      models: Object.fromEntries(models.map((model) => [model, { ...(own?.models?.[model] as object), ...speed }])),
    }
  }
  return { ...config, providers }
}
