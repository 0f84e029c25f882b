/** `aetherflow serve` as a library: an OpenAI-compatible server over the machine of all runs. */
import { once, setMaxListeners } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Embedder } from '../../bindings/cache/ports.js'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import type { Clock } from '../../bindings/ports.js'
import { systemClock } from '../../web/standard/clock.js'
import { Metrics } from '../../web/standard/telemetry/metrics.js'
import { telemetry, type TelemetryOptions } from '../../web/standard/telemetry/otel.js'
import type { Ledger } from '../ledger/ledger.js'
import { LedgerTotals } from '../ledger/totals.js'
import { openPage } from '../page-server.js'
import { Accounts, type Account, type AccountBook } from './accounts.js'
import type { Context } from './context.js'
import { addGauges, Groups } from './gauges.js'
import { keysPath, readKeys, type ServeKey } from './keys.js'
import { OwnBook } from './own-book.js'
import { makeServer } from './server.js'
import { Runs } from './runs.js'
import { runRoutes } from './runs-route.js'
import type { RunParts, ServedRuns } from './served-runs.js'
import { openService, type Service, type ServiceOptions } from './service.js'
import { SignIn } from './sign-in.js'
import { Spending } from './spending.js'

export interface ServeOptions extends ServiceOptions {
  /** Default 4748; 0: any that is free. */
  readonly port?: number | undefined
  /** Address to listen on; default 127.0.0.1. Others need keys, and their names in `allowedHosts`. */
  readonly host?: string | undefined
  /** Names by which clients may call this server, besides localhost. */
  readonly allowedHosts?: readonly string[] | undefined
  /** Origins whose pages may call, e.g. `https://app.example`. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined
  /** The callers; default: those of `keysFile`. */
  readonly keys?: readonly ServeKey[] | undefined
  /** Made at the first start. Default: `serve-keys.json` beside the user's configuration. */
  readonly keysFile?: string | undefined
  /** False: anyone who reaches the server may use it. Only on the loopback interface. Default true. */
  readonly auth?: boolean | undefined
  /** Keeps what keys have spent, and runs. Default: nothing is kept. */
  readonly folder?: string | undefined
  /** Folder of the playground, which is then handed out too. Default: none. */
  readonly page?: string | undefined
  /** Answers /v1/embeddings; its opener closes it. */
  readonly embedder?: Embedder | undefined
  /** How long requests under way may take to end when the server is closed, ms. Default 10000. */
  readonly graceMs?: number | undefined
  readonly clock?: Clock | undefined
  /** Told of every event of every request and run. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Spans and metrics of requests and runs, over the module `@opentelemetry/api` that is handed in. Default: none. */
  readonly telemetry?: Omit<TelemetryOptions, 'carrier' | 'name'> | undefined
  /** The user's ledger, for /metrics. Default: none. */
  readonly ledger?: Ledger | undefined
  /** Further series of /metrics, such as `WorkerTotals`: `read` before each scrape. Default: none. */
  readonly series?: readonly { read(): Promise<void>; addTo(metrics: Metrics): void }[] | undefined
  /** Limits and budgets of the keys shared with other servers, such as `RedisBook`; its opener closes it. Default: of this server alone. */
  readonly book?: AccountBook | undefined
  /** Runs that other servers see, and resume, such as `SharedRuns`; needs `book`. Default: kept in `folder`, for this server alone. */
  readonly runs?: { open(parts: RunParts): Promise<ServedRuns> } | undefined
  /** Told of failures that nobody foresaw; without texts of requests. */
  readonly onFailure?: ((error: unknown, requestId: string) => void) | undefined
}

export interface ServeHandle {
  /** `http://127.0.0.1:4748`. */
  readonly url: string
  /** The file of keys was made by this start. */
  readonly keysMade: boolean
  /** Name of the simulated profile; undefined: real providers. */
  readonly simulated: string | undefined
  /** An address that signs the page in, once; for the first key. */
  signInLink(): string
  /** Takes no more requests, lets those under way end within the grace, then cancels them. Idempotent. */
  close(): Promise<void>
}

/** An idle stream is told that it is alive every so many ms. */
const beatMs = 15_000

const openKey: ServeKey = { name: 'local', token: 'no-key-is-needed-here' }
const loopbackAddresses: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/** Rejects with host.usage, host.config, host.io_failed, and as `openService`. */
export async function serve(options: ServeOptions = {}): Promise<ServeHandle> {
  const { host = '127.0.0.1', port = 4748, clock = systemClock, auth = true } = options
  if (!auth && !loopbackAddresses.has(host))
    throw new AetherflowError('host.usage', 'auth', 'a server that others reach needs keys: --no-auth is for loopback')
  if (options.runs !== undefined && options.book === undefined)
    throw new AetherflowError('host.usage', 'runs', 'runs of several servers need limits that these share: name a book')
  const page = options.page === undefined ? undefined : await openPage(options.page)
  const { keys, made } = await keysOf(options, auth)
  const spending = options.book === undefined ? await Spending.open(options.folder) : undefined
  const accounts = new Accounts(keys, options.book ?? new OwnBook(clock, spending as Spending))
  const service = await openService(options)
  const first = accounts.all[0] as Account
  const signIn = new SignIn(accounts, clock, auth ? undefined : first)
  const groups = new Groups(options.limits ?? service.authority)
  const { metrics, observer, scrape } = measuring(options, groups)
  const ending = new AbortController()
  // Every request listens: more than ten are no leak.
  setMaxListeners(0, ending.signal)
  const beats = new Beats(clock)
  const context: Context = {
    service,
    embedder: options.embedder,
    ending: ending.signal,
    observer: observerOf(options, observer),
    beat: (write) => beats.add(write),
  }
  const runs = await openRuns(options, { accounts, service, observer })
  addGauges(metrics, { accounts, groups: () => groups.last(), runs })
  const server = makeServer(
    {
      signIn,
      hosts: new Set((options.allowedHosts ?? []).map((name) => name.toLowerCase())),
      origins: new Set(options.corsOrigins ?? []),
      metrics: scrape,
      failed: (error, id) => options.onFailure?.(error, id),
      page,
      routes: runs === undefined ? [] : runRoutes(runs),
    },
    context,
  )
  try {
    await listen(server, host, port)
  } catch (error) {
    await service.close()
    throw error
  }
  const url = addressOf(server)
  const close = once_(async () => {
    await closeAll({ server, ending, clock, graceMs: options.graceMs ?? 10_000 }, runs)
    beats.stop()
    await service.close()
    await spending?.close()
  })
  return { url, keysMade: made, simulated: service.simulated, signInLink: () => url + signIn.link(first), close }
}

/** What is counted: of one run by each `observer`, told by `scrape`. */
function measuring({ ledger, series = [], onEvent, onFailure }: ServeOptions, groups: Groups) {
  const metrics = new Metrics()
  const all = [...(ledger === undefined ? [] : [new LedgerTotals(ledger)]), ...series]
  for (const each of all) each.addTo(metrics)
  const observer = (): ((event: RunEvent) => void) => {
    const count = metrics.run()
    return (event) => {
      count(event)
      onEvent?.(event)
    }
  }
  const scrape = async (): Promise<string> => {
    // What cannot be read takes nothing from the rest.
    await Promise.all(
      [groups, ...all].map((each) => each.read().catch((error: unknown) => onFailure?.(error, 'metrics'))),
    )
    return metrics.text()
  }
  return { metrics, observer, scrape }
}

function observerOf(
  { telemetry: traced }: ServeOptions,
  observer: () => (event: RunEvent) => void,
): Context['observer'] {
  return (carrier) => {
    const observe = observer()
    const trace = traced && telemetry({ name: 'chat', carrier, ...traced })
    return (event) => {
      observe(event)
      trace?.(event)
    }
  }
}

interface Closing {
  readonly server: Server
  readonly ending: AbortController
  readonly clock: Clock
  readonly graceMs: number
}

async function closeAll({ server, ending, clock, graceMs }: Closing, runs: ServedRuns | undefined): Promise<void> {
  let stopGrace = (): void => undefined
  const grace = new Promise<void>((resolve) => (stopGrace = clock.after(graceMs, resolve)))
  const ended = closeServer(server, ending, clock, grace)
  await runs?.close(grace)
  await ended
  stopGrace()
}

async function keysOf(
  { keys, keysFile }: ServeOptions,
  auth: boolean,
): Promise<{ readonly keys: readonly ServeKey[]; readonly made: boolean }> {
  if (!auth) return { keys: [openKey], made: false }
  if (keys === undefined) return readKeys(keysFile ?? keysPath())
  if (keys.length === 0) throw new AetherflowError('host.usage', 'keys', 'name at least one key')
  return { keys, made: false }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  // Many may come at once; the usual backlog would turn some of them away without a word.
  server.listen({ port, host, backlog: 4096 })
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const detail = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message
    throw new AetherflowError('host.io_failed', `${host}:${port}`, detail)
  })
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** Idle connections end at once, others with their requests; after the grace their requests are cancelled, and told so. */
async function closeServer(server: Server, ending: AbortController, clock: Clock, grace: Promise<void>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  let stopLast = (): void => undefined
  void grace.then(() => {
    ending.abort()
    // What does not end by that hangs in its client.
    stopLast = clock.after(1000, () => server.closeAllConnections())
  })
  await closed
  stopLast()
}

/** Runs of plans need a place to be kept in. */
async function openRuns(
  { folder, cache, cacheModes, simulate, clock, telemetry: traced, onFailure, runs: shared }: ServeOptions,
  { accounts, service, observer }: { accounts: Accounts; service: Service; observer: () => (event: RunEvent) => void },
): Promise<ServedRuns | undefined> {
  const how = { config: service.config, ...service.shared, cache, cacheModes, simulate, clock, telemetry: traced }
  const failed = (error: unknown, id: string): void => onFailure?.(error, id)
  const parts = { accounts, how, observer, failed }
  if (shared !== undefined) return shared.open(parts)
  if (folder === undefined) return undefined
  const runs = new Runs({ folder: join(folder, 'runs'), ...parts })
  await runs.open()
  return runs
}

/** One timer for all streams. */
class Beats {
  readonly #writes = new Set<() => void>()
  readonly #clock: Clock
  #stop: (() => void) | undefined
  #over = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(write: () => void): () => void {
    // Of its own: one write may be handed in twice.
    const own = (): void => write()
    this.#writes.add(own)
    this.#stop ??= this.#next()
    return () => void this.#writes.delete(own)
  }

  stop(): void {
    this.#over = true
    this.#stop?.()
  }

  #next(): (() => void) | undefined {
    if (this.#over || this.#writes.size === 0) return undefined
    return this.#clock.after(beatMs, () => {
      for (const write of [...this.#writes]) write()
      this.#stop = this.#next()
    })
  }
}

function once_(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
