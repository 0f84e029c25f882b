/** A plan against the simulator in this process, on a virtual clock: what a benchmark runs once per seed and arm. */
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent } from '../../bindings/events.js'
import type { DocumentFinder } from '../../bindings/ports.js'
import { loadRunParts } from '../../bindings/run-parts.js'
import { checkConfig, mergedTimeouts, type Config } from '../../web/standard/config.js'
import { draftDesk } from '../../web/standard/draft/desk.js'
import type { DraftPairs } from '../../web/standard/draft/pairs.js'
import { clientFor, simulatedEntries } from '../../web/standard/providers/clients.js'
import { executeRun, type RunSettings } from '../../web/standard/run/execute-run.js'
import type { RunResult } from '../../web/standard/run/plan-run.js'
import { reusableOutputs } from '../../web/standard/run/reuse.js'
import { createSimulator, type Simulator, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { providerEntries } from '../config.js'
import { digest } from '../digest.js'
import { loadCore } from '../loader.js'
import { packageVersion } from '../version.js'
import { VirtualClock } from './virtual-clock.js'

export interface PlayedRun extends Pick<
  RunSettings,
  'mode' | 'concurrency' | 'promptCache' | 'policy' | 'cache' | 'cacheModes' | 'strip' | 'optimize'
> {
  /** JSON text of the plan. */
  readonly plan: string
  /** Texts of its context files by the names that the plan gives them: nothing is read while the virtual time passes. */
  readonly files?: Readonly<Record<string, string>>
  /** What steps find that ask for documents; looking takes no virtual time. Absent: steps that ask fail. */
  readonly documents?: DocumentFinder
  readonly profile: SimulatorProfile
  readonly seed: number
  readonly config?: Config
  /** Ids of the providers that there are; absent: all that the profile plays. */
  readonly providers?: readonly string[]
  readonly draft?: RunSettings['draft']
  /** What is known of drafts, and learns from this run. */
  readonly pairs?: DraftPairs
  /** More members of the options document of `begin`: what the arms of a benchmark differ in. */
  readonly begin?: object
}

export interface PlayedResult extends RunResult {
  readonly events: readonly RunEvent[]
  /** Every request as the providers saw it. */
  readonly ledger: Simulator['ledger']
}

/** What stands around a plan of the caller's own, as a run is told. */
export const ownContext = (
  own: Pick<PlayedRun, 'files' | 'documents'> | undefined,
): Pick<PlayedRun, 'files' | 'documents'> => ({
  ...(own?.files && { files: own.files }),
  ...(own?.documents && { documents: own.documents }),
})

/** No provider has its peak prices on a Sunday: the same run costs the same at every hour. */
const sundayMs = Date.UTC(2026, 10, 1, 12)

/** All times are simulated ms. Rejects as `runPlan` does. */
export async function playRun(run: PlayedRun): Promise<PlayedResult> {
  const module = await loadCore()
  // Modules that are loaded while time passes would find another time each time.
  await Promise.all([loadRunParts(), import('../../web/standard/spread/rules.js')])
  const core = new CoreRun(module)
  const clock = new VirtualClock()
  const profile = { ...run.profile, timeScale: 1 }
  const simulator = createSimulator(profile, { clock, seed: run.seed })
  const events: RunEvent[] = []
  try {
    const config = checkConfig(run.config ?? {})
    const timeouts = mergedTimeouts(core.document('defaults'), config)
    const entries = simulatedEntries(
      providerEntries(core.document('defaults'), config),
      profile,
      'http://simulator.test',
    )
    const wanted = entries.filter(({ id }) => run.providers === undefined || run.providers.includes(id))
    const clients = new Map(
      wanted.map(({ id, dialect, baseUrl }) => {
        const settings = { baseUrl, key: () => 'simulated', fetch: simulator.fetch, clock, timeouts }
        return [id, clientFor(dialect, settings)] as const
      }),
    )
    const { files = {}, documents, seed, begin, pairs: _pairs, ...settings } = run
    const work = executeRun(
      new TextEncoder().encode(run.plan),
      { ...settings, seed, simulate: profile },
      {
        ...{ core, version: packageVersion(), digest, config, clock, begin },
        wallClock: () => sundayMs,
        anotherCore: () => new CoreRun(module),
        loadReuse: () => Promise.resolve(reusableOutputs),
        drafts: draftDesk({ pairs: run.pairs, config, available: [...clients.keys()] }),
        providerIds: entries.map(({ id }) => id),
        openProviders: () =>
          Promise.resolve({
            available: [...clients.keys()],
            client: (id: string) => clients.get(id),
            simulated: profile.name,
            clock,
            close: () => undefined,
          }),
        files: () => ({ read: (path) => textOf(files, path) }),
        documents: documents && {
          retrieve: (question, options) => clock.outside(documents.retrieve(question, options)),
        },
        driver: {},
        emit: (event) => void events.push(event),
        own: () => undefined,
      },
    )
    return { ...(await clock.passUntil(work)), events, ledger: simulator.ledger }
  } finally {
    core.dispose()
  }
}

function textOf(files: Readonly<Record<string, string>>, path: string): Promise<string> {
  const text = Object.hasOwn(files, path) ? files[path] : undefined
  return text === undefined ? Promise.reject(new Error(`the benchmark has no file ${path}`)) : Promise.resolve(text)
}
