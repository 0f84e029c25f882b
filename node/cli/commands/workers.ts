/** `aetherflow worker`: makes the calls of other machines. `aetherflow workers`: who does. */
import { CoreRun } from '../../../bindings/core.js'
import { formatCount, formatDuration, oneLine, plural } from '../../../web/standard/format.js'
import { patienceOf } from '../../../web/standard/config.js'
import { AetherflowError } from '../../index.js'
import { loadCore } from '../../loader.js'
import { realProviders, simulatedProviders, type Providers } from '../../providers.js'
import { redisPlace } from '../../redis/address.js'
import { workersAt } from '../../redis/workers.js'
import { startWorker } from '../../redis/worker.js'
import { setUp } from '../../run/execute.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { profileOfFlag } from '../profile-flag.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'

export interface WorkerFlags {
  readonly redis: string
  readonly concurrency: number
  readonly simulate?: string | true
  readonly config?: string
}

export interface WorkersFlags {
  readonly redis: string
  readonly json?: true
}

export async function worker(flags: WorkerFlags, { stdout, stderr, signal }: Host): Promise<ExitCode> {
  const providers = await providersOf(flags)
  try {
    if (providers.available.length === 0)
      throw new AetherflowError('route.no_provider', '', 'a worker makes calls with its own keys, and has none')
    const running = await startWorker({ address: flags.redis, providers, concurrency: flags.concurrency })
    const { id, providers: names } = running.state()
    stdout.write(`worker ${id} at ${redisPlace(flags.redis).name}: ${names.join(', ')}\n`)
    if (providers.simulated !== undefined) stderr.write(`All answers are simulated (${providers.simulated}).\n`)
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    stderr.write('Ending: calls in flight are answered first.\n')
    await running.close()
  } finally {
    await providers.close()
  }
  return exitCodes.ok
}

async function providersOf({ simulate, config: configFile }: WorkerFlags): Promise<Providers> {
  const core = new CoreRun(await loadCore())
  try {
    const { config, entries, timeouts } = await setUp(core, { configFile })
    if (simulate !== undefined) return await simulatedProviders({ entries, timeouts, profile: profileOfFlag(simulate) })
    const defaults = core.document<typeof config>('defaults')
    const patience = (id: string) => patienceOf(defaults, config, id)
    return realProviders({ entries, timeouts, patience, transport: config.transport })
  } finally {
    core.dispose()
  }
}

export async function workers({ redis, json }: WorkersFlags, { stdout }: Host): Promise<ExitCode> {
  const found = await workersAt(redis)
  if (json) {
    stdout.write(`${asciiControls(JSON.stringify(found))}\n`)
    return exitCodes.ok
  }
  const { owners, runs, workers: there, queues, limits } = found
  const width = stdout.columns ?? 120
  const print = (line: string): void => void stdout.write(`${line}\n`)
  const up = (since: number): string => formatDuration(Math.max(0, Date.now() - since))
  const place = (one: { host: string; pid: number }): string => `${oneLine(one.host)}:${one.pid}`
  const ownerRows = owners.map((one) => [
    ...[one.id, place(one), `${one.runs}/${one.most}`, formatCount(one.done), up(one.since)],
  ])
  if (owners.length > 0)
    for (const line of alignedTable(['owner', 'process', 'runs', 'done', 'up'], ownerRows, width)) print(line)
  if (owners.length > 0 || runs.open > 0)
    print(`${plural(runs.open, 'run')} in progress, ${formatCount(runs.waiting)} of them without an owner`)
  const rows = there.map((one) => [
    ...[one.id, place(one), one.providers.map((name) => oneLine(name)).join(' ')],
    ...[`${one.busy}/${one.concurrency}`, formatCount(one.done), formatCount(one.failed), up(one.since)],
  ])
  const head = ['worker', 'process', 'providers', 'busy', 'done', 'failed', 'up']
  for (const line of alignedTable(head, rows, width)) print(line)
  for (const { provider, waiting, active } of queues)
    print(`${oneLine(provider)}: ${plural(waiting, 'call')} waiting, ${formatCount(active)} in flight`)
  for (const { name, inFlight, waiting, breaker } of limits)
    print(
      `limits of ${oneLine(name)}: ${formatCount(inFlight)} in flight, ${formatCount(waiting)} waiting, breaker ${breaker}`,
    )
  if (there.length === 0) print('no worker is there')
  return exitCodes.ok
}
