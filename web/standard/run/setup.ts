/** What every host does around the driver: options for the core, plans fed for a verdict or an explanation, simulated profiles. */
import type { AnswerCache, CacheMode } from '../../../bindings/cache/ports.js'
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError, type Fault } from '../../../bindings/errors.js'
import type { Explanation, RouteInfo, StepDocumentsReport, StepInfo } from '../../../bindings/events.js'
import { draftUses as draftWords, type DraftUse } from '../../../bindings/generated/wire.js'
import type { DocumentFinder, FileReader } from '../../../bindings/ports.js'
import { explanationOf } from '../../../bindings/report-rows.js'
import { withTarget } from '../../../bindings/feed.js'
import { saysRules } from '../../../bindings/run-parts.js'
import { documentsReport, retrievedSignal } from '../../../bindings/step-documents.js'
import { withoutKeys, type Config, type PolicyConfig, type ProviderConfig } from '../config.js'
import type { DraftUses } from '../draft/use.js'
import type { Case, SpreadInfo } from '../spread/explained.js'
import { planBytes, wholePlan, type PlanSource } from './plan-source.js'
import type { SimulatorProfile } from '../simulator/index.js'

/** Options of a plan that every host knows. */
export interface PlanSettings {
  /** build (default), fast, double-check, or a mode of the configuration. */
  readonly mode?: string | undefined
  /** Most calls at once, by provider id. */
  readonly concurrency?: Readonly<Record<string, number>> | undefined
  readonly config?: Config | undefined
  /** Plays all providers: a profile's name or the profile; true: `default`. Costs nothing, proves nothing about providers. */
  readonly simulate?: boolean | string | SimulatorProfile | undefined
  /** Strip prompts. Default true. */
  readonly strip?: boolean | undefined
  /** Search a better order than longest-path-first over sampled durations. Default false. */
  readonly optimize?: boolean | undefined
  /** Retries, limits and budgets of this run, over those of the configuration. */
  readonly policy?: PolicyConfig | undefined
  /**
   * Prompts made for the providers' prompt caches. `auto`: what steps share stands first, and they wait for it to be read where that
   * pays; `always`: wherever it saves money; `off`: each step in its own layout, at once. Default auto.
   */
  readonly promptCache?: 'auto' | 'always' | 'off' | undefined
  /**
   * Let a fast model draft and a strong one of another family verify: `off`, `auto` where that is expected to save time, `always`; for
   * all steps, or by type of step with `*` for all others. A step's own `draft` wins, unless this forbids it. Default: as the plan
   * says, else off. No effect in a mode that audits.
   */
  readonly draft?: DraftUse | Readonly<Record<string, DraftUse>> | undefined
  /** Of the simulator, jitter and searches. Default 1. */
  readonly seed?: number | undefined
}

/** Options of a run that every host knows which has a cache. */
export interface CacheSettings {
  /**
   * Answers of earlier work: steps are looked for there before they are called, and what they are answered is kept there. The same
   * request in flight twice is then called once. Its opener closes it. A run that is resumed needs one when it began with one.
   */
  readonly cache?: AnswerCache | undefined
  /**
   * With a cache, how far it is used: by type of step, `*` for all others. A plan's step may narrow that by its own `cache`.
   * Default: semantic for analysis and documentation, exact for all others. A run that is resumed keeps those that it began with.
   */
  readonly cacheModes?: Readonly<Record<string, CacheMode>> | undefined
  /** Whose answers: those of one tenant never serve another. */
  readonly tenant?: string | undefined
}

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

/** The options document of `begin`. */
export function beginOptions(
  options: PlanSettings,
  config: Config,
  available: readonly string[],
): Record<string, unknown> {
  const { mode, concurrency, strip, optimize, promptCache, seed } = options
  const draft = draftUses(options, config)
  const drafts = draft === undefined ? {} : { draft }
  return { mode, concurrency, strip, optimize, promptCache, seed, available, table: withoutKeys(config), ...drafts }
}

/** What the run says of drafts, by type of step; undefined: nothing. Fails: host.usage for an unknown word. */
export function draftUses(options: PlanSettings, config: Config): DraftUses | undefined {
  const { draft = config.draft } = options
  if (draft === undefined) return undefined
  const uses: unknown = typeof draft === 'string' ? { '*': draft } : draft
  const words: readonly unknown[] = draftWords
  if (typeof uses === 'object' && uses !== null && Object.values(uses).every((use) => words.includes(use)))
    return uses as DraftUses
  const detail = `expected ${draftWords.map((word) => JSON.stringify(word)).join(', ')}, or one of them for each type of step and *`
  throw new AetherflowError('host.usage', 'draft', detail)
}

/** Answers about the same material may be worded freely; code, tests and plans of work must be asked for in the same words. */
const defaultModes = { '*': 'exact', analysis: 'semantic', documentation: 'semantic' } as const

const simulatedTenant = 'simulated:'

/** What a simulator has said is never told to a real run, nor to another profile's. Fails: host.usage. */
export function tenantOf({ tenant }: CacheSettings, simulated: string | undefined): string | undefined {
  if (tenant?.startsWith(simulatedTenant) === true) {
    const detail = `names that begin with ${simulatedTenant} are kept for simulated runs`
    throw new AetherflowError('host.usage', 'tenant', detail)
  }
  if (simulated === undefined) return tenant
  return `${simulatedTenant}${simulated}${tenant === undefined ? '' : ` ${tenant}`}`
}

/** What `begin` gets to know of a cache: nothing when there is none. */
export function cacheOptions({ cache, cacheModes }: CacheSettings): { cache?: object } {
  return cache === undefined ? {} : { cache: { ...defaultModes, ...cacheModes } }
}

/** The core's verdict on a plan that it refused. */
export function planError(core: CoreRun): AetherflowError {
  const { code, where, detail, others } = core.document<Fault & { others: Fault[] }>('error')
  return new AetherflowError(code, where, detail, others)
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

/** `profiles`: handed in, as a page loads them on demand. Fails: host.usage for an unknown name. */
export function profileOf(
  simulate: true | string | SimulatorProfile,
  profiles: Readonly<Record<string, SimulatorProfile>>,
): SimulatorProfile {
  if (typeof simulate === 'object') return simulate
  const name = simulate === true ? 'default' : simulate
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (profile === undefined) {
    const known = Object.keys(profiles).join(', ')
    throw new AetherflowError('host.usage', 'simulate', `no profile '${name}'; there are ${known}`)
  }
  return profile
}
