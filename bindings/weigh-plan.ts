/** The weight of a plan: what its documents and context files add to prompts, told to the core before the first call. */
import type { CarryingHost } from './carrying-host.js'
import type { CoreRun } from './core.js'
import type { DriverOptions } from './driver-options.js'
import type { PlanFeed } from './feed.js'
import type { Retrievals } from './retrievals.js'
import type { RunTexts } from './run-texts.js'

/** The run whose plan is weighed. */
export interface WeighedRun {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  readonly cancelled: boolean
}

/**
 * What is planned is what will be sent: the core knows the weight of documents and context files before the first call. What cannot
 * be had ends a run whose plan came as a whole, before it costs anything; of a plan that streamed the step fails alone.
 */
export async function weighPlan(
  run: WeighedRun,
  { files, recalled }: Pick<DriverOptions, 'files' | 'recalled'>,
  retrievals: () => Promise<Retrievals>,
  whole: boolean,
): Promise<void> {
  if (run.cancelled) return
  const { core, texts } = run
  const asking = texts.steps.filter(({ id, documents }) => documents !== undefined && recalled?.has(id) !== true)
  if (whole && asking.length > 0)
    await (await retrievals()).all(asking).catch((error: unknown) => {
      // What was looked for may have been given up for that.
      if (!run.cancelled) throw error
    })
  if (files === undefined || run.cancelled || texts.steps.every(({ files: own }) => own.length === 0)) return
  // Loaded by runs whose steps have files.
  const { weighFiles } = await import('./weigh.js')
  const estimate = (text: string): number => core.estimateTokens(text)
  const weights = await weighFiles(files, texts.steps, estimate).catch((error: unknown) => {
    if (whole) throw error
    return []
  })
  // Told without a turn of the pump behind it: outputs that are recalled come before the first call too.
  if (!run.cancelled) for (const weight of weights) core.weighed(weight, run.now)
}

/** Outputs known from another run are told before anything is handed out. `from`: position of the first step that they may be of. */
export function recallOutputs(
  { core, texts, now, attach, signal }: CarryingHost,
  recalled: DriverOptions['recalled'],
  from = 0,
): void {
  if (recalled === undefined) return
  for (const { step, id } of texts.steps.slice(from)) {
    const known = recalled.get(id)
    // Of a run that is resumed some are in its journal.
    if (known === undefined || texts.answers.has(step) || texts.outputs[step] !== undefined) continue
    const words = { x: known.text, ...(known.files === undefined ? {} : { f: known.files }) }
    attach(words)
    if (signal(() => core.recalled(step, now))) texts.recalled(step, words)
  }
}

/** Parts of steps that spread: what another run has answered of them is told before one is handed out. False: the core has refused them. */
export function readMore(
  feed: Pick<PlanFeed, 'more'>,
  text: Uint8Array,
  host: CarryingHost,
  recalled: DriverOptions['recalled'],
): boolean {
  const from = host.texts.steps.length
  if (!feed.more(text)) return false
  recallOutputs(host, recalled, from)
  return true
}
