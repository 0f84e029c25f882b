/** What not every run needs, loaded by those that do: a page that only runs a plan waits for none of it. */
import type { CarryingHost } from './carrying-host.js'
import type { Checks, ChecksHost } from './checks.js'
import type { CoreRun } from './core.js'
import type { DriverOptions } from './driver-options.js'
import { AetherflowError } from './errors.js'
import type { StepInfo } from './events.js'
import type { JournalRecorder } from './journal/recorder.js'
import type { restore } from './journal/restore.js'
import type { resumeCalls } from './journal/resume-calls.js'
import type { Lookups } from './lookups.js'
import type { PlanRules, RulesHost } from './plan-rules.js'
import type { Retrievals } from './retrievals.js'
import type { SharedLimits, SharedLimitsHost } from './shared-limits.js'

export interface RunParts {
  readonly lookups?: Lookups | undefined
  readonly checks?: Checks | undefined
  readonly limits?: SharedLimits | undefined
  readonly restore?: typeof restore | undefined
  readonly resumeCalls?: typeof resumeCalls | undefined
  readonly Recorder?: typeof JournalRecorder | undefined
}

type Options = Pick<DriverOptions, 'cache' | 'checker' | 'limits' | 'past' | 'journal' | 'tenant' | 'performer'>

export const needsParts = ({ cache, checker, limits, past, journal }: Options): boolean =>
  [cache, checker, limits, past, journal].some((each) => each !== undefined)

export async function runParts(host: ChecksHost & SharedLimitsHost, options: Options): Promise<RunParts> {
  const { cache, checker, limits, past, journal } = options
  // A journal of another host may tell of checks.
  const checked = checker !== undefined || past !== undefined
  return {
    lookups: cache && new (await import('./lookups.js')).Lookups(host, { ...options, cache }),
    checks: checked ? new (await import('./checks.js')).Checks(host, checker) : undefined,
    limits: limits && new (await import('./shared-limits.js')).SharedLimits(host, limits),
    restore: past && (await import('./journal/restore.js')).restore,
    resumeCalls: past && (await import('./journal/resume-calls.js')).resumeCalls,
    Recorder: journal && (await import('./journal/recorder.js')).JournalRecorder,
  }
}

/** Loads all of them beforehand: for hosts on whose clock loading must take no time. */
export const loadRunParts = (): Promise<unknown> =>
  Promise.all([import('./lookups.js'), import('./checks.js'), import('./shared-limits.js'), import('./retrievals.js')])

let reports: typeof import('./run-report.js') | undefined
/** What a run is reported with: not needed before it has ended. */
export const loadReports = async (): Promise<typeof import('./run-report.js')> =>
  (reports ??= await import('./run-report.js'))

/** Whether the plan, as far as it is known, says more than which steps are carried out. `from`: the first step to look at. */
export function saysRules(core: CoreRun, steps: readonly StepInfo[], from = 0): boolean {
  const says = (info: StepInfo): boolean => info.written !== undefined
  return (
    steps.slice(from).some(says) ||
    core.document<{ metadata?: { until?: unknown } }>('plan').metadata?.until !== undefined
  )
}

export async function rulesOf(host: RulesHost, { rules }: Pick<DriverOptions, 'rules'>): Promise<PlanRules> {
  if (rules === undefined) throw new AetherflowError('host.usage', 'plan', 'this host obeys no rules of plans')
  return (await rules())(host)
}

export async function retrievalsOf(
  host: CarryingHost,
  { documents }: Pick<DriverOptions, 'documents'>,
): Promise<Retrievals> {
  return new (await import('./retrievals.js')).Retrievals(host, documents)
}
