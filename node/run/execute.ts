/** A run of a plan in Node: what this host brings to `executeRun`. */
import { resolve } from 'node:path'
import { Authority } from '../../bindings/authority.js'
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent } from '../../bindings/events.js'
import type { Clock, FileReader } from '../../bindings/ports.js'
import type { LimitSharing } from '../../bindings/shared-limits.js'
import { scaledClock, systemClock } from '../../web/standard/clock.js'
import {
  checkConfig,
  mergedTimeouts,
  patienceOf,
  withPolicy,
  type Config,
  type ProviderEntry,
} from '../../web/standard/config.js'
import type { Timeouts } from '../../web/standard/providers/index.js'
import { draftDesk } from '../../web/standard/draft/desk.js'
import { executeRun } from '../../web/standard/run/execute-run.js'
import type { RunControl, RunResult } from '../../web/standard/run/plan-run.js'
import { planBytes, type PlanSource } from '../../web/standard/run/plan-source.js'
import type { RunStore } from '../../web/standard/run/run-store.js'
import { reusableOutputs } from '../../web/standard/run/reuse.js'
import { profileOf } from '../../web/standard/run/setup.js'
import { simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import type { CachePlace } from '../cache/place.js'
import { providerEntries, readConfig } from '../config.js'
import { digest } from '../digest.js'
import { userConfigPath } from '../folders.js'
import { loadCore, loadLimits } from '../loader.js'
import type { PlanOptions, RunPlanOptions } from '../options.js'
import { lentClients, realProviders, simulatedProviders, type Providers, type ProvidersOptions } from '../providers.js'
import { localContexts, withContexts, type LocalContext } from '../local-contexts.js'
import { readProjectConfig, withProject } from '../project-config.js'
import { packageVersion } from '../version.js'
import { checkerOf } from '../check/open-checker.js'
import { contextFiles, type ContextOptions } from './context-files.js'
import { FileRunStore } from './file-run-store.js'
import { runDocuments, type OpenedDocuments } from './run-documents.js'

export async function execute(
  plan: PlanSource | undefined,
  options: RunPlanOptions,
  emit: (event: RunEvent) => void,
  own: (control: RunControl) => void,
  goesOn: () => void = () => undefined,
): Promise<RunResult> {
  const module = await loadCore()
  const core = new CoreRun(module)
  let documents: OpenedDocuments | undefined
  try {
    const { config: given, entries, timeouts } = await setUp(core, options)
    const { config } = await withLocalContexts(given, entries, options)
    const { performer, clock, signal, onText, deliver, rejected } = options
    const patience = (id: string) => patienceOf(core.document('defaults'), config, id)
    const how = { timeouts, patience, transport: config.transport }
    const store = storeOf(options)
    const files = contextOf(options, entries)
    documents = documentsOf(options, entries)
    return await executeRun(plan === undefined ? undefined : planBytes(plan), options, {
      ...{ core, version: packageVersion(), digest, config, store, performer, clock, emit, own, goesOn },
      anotherCore: () => new CoreRun(module),
      loadReuse: async () => reusableOutputs,
      limits: await limitsOf(options, entries),
      providerIds: entries.map(({ id }) => id),
      openProviders:
        performer === undefined ? (simulate) => openProviders(entries, { ...options, simulate }, how) : undefined,
      files: () => files,
      documents: documents.finder,
      checker: await checkerOf(options.checks, config.checks, files),
      mayResume: (kept) => {
        if (store instanceof FileRunStore) return store.mustAgree(kept, () => new CoreRun(module))
        return Promise.resolve()
      },
      drafts: draftDesk({ pairs: options.draftPairs, config, available: entries.map(({ id }) => id) }),
      begin: cachePlace(options),
      driver: { signal, onText, deliver, rejected },
    })
  } finally {
    core.dispose()
    await documents?.close()
  }
}

/** Every run of the process shares it; made when the first asks. */
let processLimits: Authority | undefined

/** A run on a clock of its own cannot share what is counted on the platform's. */
async function limitsOf(
  { limits, clock, simulate }: RunPlanOptions,
  entries: readonly ProviderEntry[],
): Promise<LimitSharing | undefined> {
  if (limits === 'own' || (clock !== undefined && typeof limits !== 'object')) return undefined
  // Each simulated run has simulated providers of its own.
  if (simulate !== undefined && simulate !== false) return undefined
  const shared = async (): Promise<Authority> => {
    const module = await loadLimits()
    return (processLimits ??= new Authority(module, systemClock))
  }
  const authority = typeof limits === 'object' ? limits : await shared()
  const scope = (id: string): string => {
    const entry = entries.find((known) => known.id === id)
    return entry === undefined ? '' : digest([entry.baseUrl, entry.key ?? '']).slice(0, 16)
  }
  return { authority, scope }
}

/** The context files of a plan, as a run with these options would read them. */
export const contextOf = (options: RunPlanOptions, entries: readonly ProviderEntry[]): FileReader =>
  contextFiles(options.folder ?? process.cwd(), contextOptions(options, entries))

/** What steps find that ask for documents, as a run with these options would. */
export function documentsOf(options: RunPlanOptions, entries: readonly ProviderEntry[]): OpenedDocuments {
  const context = contextOptions(options, entries)
  return runDocuments(options.documents, {
    folder: options.folder ?? process.cwd(),
    files: (folder) => contextFiles(folder, context),
    keys: context.keys ?? [],
    signal: options.signal,
  })
}

/** What of the files that a plan names may be sent: never a configuration, never a key. */
function contextOptions({ allowFiles, configFile }: RunPlanOptions, entries: readonly ProviderEntry[]): ContextOptions {
  const keys = entries.flatMap(({ key }) => (key === undefined || key === '' ? [] : [key]))
  const configs = [userConfigPath(), ...(configFile === undefined ? [] : [resolve(configFile)])]
  return { allowed: allowFiles, configs, keys }
}

function storeOf({ journal, sync, takeOver, folder: files }: RunPlanOptions): RunStore | undefined {
  return typeof journal === 'string' ? new FileRunStore(journal, { sync, takeOver, files }) : journal
}

/** For anyone who resumes the run: where its cache is. The core does not read it. */
function cachePlace({ cache, tenant }: RunPlanOptions): { cacheAt?: object } {
  const place = (cache as { readonly place?: CachePlace } | undefined)?.place
  return place === undefined ? {} : { cacheAt: { ...place, ...(tenant === undefined ? {} : { tenant }) } }
}

export async function setUp(
  core: CoreRun,
  options: PlanOptions,
): Promise<{ config: Config; entries: ProviderEntry[]; timeouts: Timeouts }> {
  const read = options.config === undefined ? await readConfig(options.configFile) : checkConfig(options.config)
  const project = options.project === undefined ? undefined : await readProjectConfig(options.project)
  const bounded = project === undefined ? read : withProject(read, project)
  const config = options.policy === undefined ? bounded : withPolicy(bounded, options.policy)
  const defaults = core.document('defaults')
  return { config, entries: providerEntries(defaults, config), timeouts: mergedTimeouts(defaults, config) }
}

/** What hosts of a preset say of themselves counts for the run; nobody is asked when nobody will be called. */
export async function withLocalContexts(
  config: Config,
  entries: readonly ProviderEntry[],
  { simulate, performer, fetch, clients }: RunPlanOptions,
): Promise<{ config: Config; contexts: readonly LocalContext[] }> {
  const asked = performer === undefined && clients === undefined && (simulate === undefined || simulate === false)
  if (!asked) return { config, contexts: [] }
  const contexts = await localContexts(config, entries, fetch)
  return { config: withContexts(config, contexts), contexts }
}

/** Fails: host.usage for an unknown name. */
export const simulatedProfile = (simulate: true | string | SimulatorProfile): SimulatorProfile =>
  profileOf(simulate, simulatorProfiles)

async function openProviders(
  entries: ProviderEntry[],
  options: RunPlanOptions,
  how: Pick<ProvidersOptions, 'timeouts' | 'patience' | 'transport'>,
): Promise<Providers & { readonly clock?: Clock }> {
  const { simulate, fetch, pool, seed, clients } = options
  if (clients !== undefined) return lentClients(clients)
  if (simulate === undefined || simulate === false)
    return realProviders({ entries, fetch, pool, clock: options.clock, ...how })
  const profile = simulatedProfile(simulate)
  // Everything is told in the profile's own time, however fast it is played.
  const clock = scaledClock(options.clock ?? systemClock, profile.timeScale)
  const played = {
    entries,
    fetch,
    clock,
    timeouts: how.timeouts,
    patience: how.patience,
    profile: { ...profile, timeScale: 1 },
  }
  return { ...(await simulatedProviders({ ...played, ...(seed === undefined ? {} : { seed }) })), clock }
}
