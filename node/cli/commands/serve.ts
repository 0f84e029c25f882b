/** `aetherflow serve`: answers other software until it is interrupted. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEmbedder } from '../../embed/index.js'
import { userStateFolder } from '../../folders.js'
import { AetherflowError } from '../../index.js'
import { Ledger, RunEntry } from '../../ledger/ledger.js'
import { keysPath } from '../../serve/keys.js'
import { serve as startServer, type ServeHandle } from '../../serve/serve.js'
import { openRunCache } from '../run-cache.js'
import type { CacheFlags } from '../cache-flags.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { openTelemetry } from '../open-telemetry.js'
import { profileOfFlag } from '../profile-flag.js'
import { openSharedServe, type SharedServeFlags } from '../shared-run.js'

export interface ServeFlags extends CacheFlags, SharedServeFlags {
  readonly port: number
  readonly host: string
  readonly auth: boolean
  readonly keys?: string
  readonly allowedHost?: readonly string[]
  readonly corsOrigin?: readonly string[]
  readonly simulate?: string | true
  readonly embedder?: string
  readonly state?: string
  readonly grace: number
  readonly otel?: true
}

export async function serve(flags: ServeFlags, host: Host): Promise<ExitCode> {
  const { env, stderr } = host
  const warn = ({ code, detail }: { code: string; detail: string }): void =>
    void stderr.write(`warning ${code}: ${detail}\n`)
  const cache = await openRunCache(flags, undefined, host, warn)
  const shared = await openSharedServe(flags, (_where, detail) => warn({ code: 'host.io_failed', detail }))
  const embedder = flags.embedder === undefined ? undefined : await openEmbedder(flags.embedder)
  const played = flags.simulate === undefined ? undefined : profileOfFlag(flags.simulate)
  const entry = RunEntry.of(env, played?.name, false, 'serve')
  const telemetry = flags.otel === true ? await openTelemetry(host) : undefined
  try {
    const server = await startServer({
      ...{ port: flags.port, host: flags.host, auth: flags.auth, graceMs: flags.grace * 1000 },
      ...{ allowedHosts: flags.allowedHost, corsOrigins: flags.corsOrigin, embedder },
      page: fileURLToPath(new URL('../../../playground', import.meta.url)),
      keysFile: flags.keys ?? keysPath(env),
      folder: flags.state ?? join(userStateFolder(env), 'serve'),
      configFile: flags.config,
      simulate: played,
      ledger: new Ledger(env),
      onEvent: (event) => entry?.event(event),
      // Every request has a trace of its own, or its caller's.
      telemetry: telemetry && { api: telemetry.api },
      ...shared.options,
      ...{ cache: cache?.options.cache, cacheModes: cache?.options.cacheModes },
      // What an error says may quote a request: its name and code are enough to look for it.
      onFailure: (error, id) => void stderr.write(`failed ${id}: ${nameOf(error)}\n`),
    })
    tell(server, flags, host)
    await interrupted(host.signal)
    stderr.write('Ending: requests in flight are answered first.\n')
    await server.close()
  } finally {
    await entry?.close()
    await telemetry?.flush()
    await embedder?.close()
    await cache?.close()
    await shared.close()
  }
  return exitCodes.ok
}

function tell(server: ServeHandle, { auth, keys }: ServeFlags, { stdout, stderr, env }: Host): void {
  stdout.write(`${server.url}/v1\n`)
  if (server.simulated !== undefined) stderr.write(`All answers are simulated (${server.simulated}).\n`)
  const file = keys ?? keysPath(env)
  if (auth) stderr.write(`Callers need a key of ${file}${server.keysMade ? ', which was made now' : ''}.\n`)
  else stderr.write('No key is asked for: every program of this machine may call, and spend.\n')
  stderr.write(`Runs in the browser: ${auth ? `${server.signInLink()} (signs in once)` : `${server.url}/runs.html`}\n`)
  stderr.write('Ctrl-C ends the server.\n')
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const nameOf = (error: unknown): string =>
  error instanceof AetherflowError ? error.code : error instanceof Error ? error.name : 'unknown'
