/** Begins a run in its place, or resumes the one that is there. */
import type { DriverOptions, RecalledOutput } from '../../../bindings/driver-options.js'
import { AetherflowError } from '../../../bindings/errors.js'
import {
  journalOutcome,
  journalPlan,
  resumableRecords,
  type Journal,
  type JournalDamage,
} from '../../../bindings/journal/reader.js'
import { JournalLines, journalVersion, type JournalHeader } from '../../../bindings/journal/journal.js'
import { continuesRun, noRunThere, runExists, runId } from './run-words.js'
import { wholePlan } from './plan-source.js'
import { mustFit, restOf } from './resume.js'
import { samePlan } from './same-plan.js'
import { textUpTo, type KeptJournal, type OwnedRun, type RunStore } from './run-store.js'

export interface OpenRunOptions {
  readonly plan: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly resume?: boolean | undefined
  readonly reuse?: boolean | undefined
  /** With `reuse`: begin a new run in any case, since the one that is there may spend more than it is to. */
  readonly anew?: boolean | undefined
  readonly simulated: string | undefined
  readonly planName?: string | undefined
  /** Version of AetherFlow. */
  readonly version: string
  /** Outputs of an earlier run that still match the plan. */
  readonly reusable: (old: Journal, plan: Uint8Array) => Promise<ReadonlyMap<string, RecalledOutput>>
}

/** A run that is ready to be driven. */
export interface OpenedRun {
  readonly header: JournalHeader
  /** What is to be fed of the plan. */
  readonly plan: Uint8Array | AsyncIterable<Uint8Array>
  /** Undefined: the run has come to its end, and nothing is written any more. */
  readonly journal: DriverOptions['journal']
  readonly past: DriverOptions['past']
  readonly recalled: ReadonlyMap<string, RecalledOutput> | undefined
  /** What of the journal was damaged and left out. */
  readonly damage: JournalDamage | undefined
  /** The lines that are there already, its header's at least. */
  before(): string
}

/** Fails: host.journal (there is a run already, or none, or not one like this), host.journal_damaged, host.plan_changed, host.io_failed. */
export async function openRun(store: RunStore, owned: OwnedRun, options: OpenRunOptions): Promise<OpenedRun> {
  const { kept } = owned
  if (kept === undefined) return await begin(store, owned, options)
  if (!continuesRun(options)) throw runExists(store.name)
  return await resumeRun(store, owned, kept, options)
}

async function begin(
  store: RunStore,
  owned: OwnedRun,
  { plan, planName, simulated, version }: OpenRunOptions,
  old?: { readonly header: JournalHeader; readonly aside: string },
): Promise<OpenedRun> {
  if (plan === undefined) throw noRunThere(store.name)
  const name = planName ?? old?.header.plan
  const header: JournalHeader = {
    aetherflow: version,
    journal: journalVersion,
    run: runId(),
    startedAt: new Date().toISOString(),
    ...(name === undefined ? {} : { plan: name }),
    ...(simulated === undefined ? {} : { simulated }),
    ...store.header?.(),
    ...(old === undefined ? {} : { reuses: old.aside }),
  }
  const lines = new JournalLines()
  const first = lines.header(header)
  const writer = await owned.begin(header, first)
  const journal = { writer, start: lines.checksum }
  return { header, plan, journal, past: undefined, recalled: undefined, damage: undefined, before: () => first }
}

async function resumeRun(
  store: RunStore,
  owned: OwnedRun,
  kept: KeptJournal,
  options: OpenRunOptions,
): Promise<OpenedRun> {
  const { journal } = kept
  const { header, records, dropped: damage } = journal
  mustFit(header, options.simulated, store.name)
  const known = journalPlan(records)
  const plan = options.plan === undefined ? undefined : await wholePlan(options.plan)
  const rest = known.whole ? new Uint8Array() : restOf(plan, known.bytes, store.name)
  const changed = known.whole ? plan !== undefined && !samePlan(plan, known.bytes) : rest === undefined
  const outcome = journalOutcome(journal)
  const incomplete = outcome !== undefined && outcome !== 'ok' && outcome !== 'cancelled'
  if (changed && options.reuse !== true) throw new AetherflowError('host.plan_changed', store.name)
  if (options.reuse === true && (changed || incomplete || options.anew === true))
    return await beginAnew(store, owned, journal, { ...options, plan: plan ?? known.bytes })
  const count = resumableRecords(journal)
  const end = journal.after(count - 1)
  const past = { journal, records: count }
  const common = { header, plan: rest ?? new Uint8Array(), past, damage, before: () => textUpTo(kept, end) }
  if (outcome !== undefined && count === records.length) return { ...common, journal: undefined, recalled: undefined }
  // Those of the plan stand in the journal before the first commands, and steps may spread into more.
  const old = header.reuses === undefined ? undefined : await owned.aside(header.reuses)
  const recalled = old && (await options.reusable(old.journal, plan ?? known.bytes))
  return { ...common, journal: { writer: await owned.resume(end), start: end.checksum }, recalled }
}

/** A new run in place of the one that is there, which stays beside it under another name. */
async function beginAnew(
  store: RunStore,
  owned: OwnedRun,
  old: Journal,
  options: OpenRunOptions & { readonly plan: Uint8Array },
): Promise<OpenedRun> {
  const recalled = await options.reusable(old, options.plan)
  const aside = await owned.setAside()
  return { ...(await begin(store, owned, options, { header: old.header, aside })), recalled }
}
