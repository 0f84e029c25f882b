/**
 * The process that carries out runs, seen from a server of tools: found when there is one for the same root, accounts and program,
 * started when there is none. All runs in it share one set of limits, and need neither the client nor the server.
 *
 *   $XDG_STATE_HOME/aetherflow/runners/KEY/   run.lock.N       the process that is it
 *                                             endpoint.json    where it listens, and the token; readable by the user alone
 */
import { spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { digest } from '../digest.js'
import { userStateFolder } from '../folders.js'
import { listProviders } from '../index.js'
import { makeFolder } from '../make-folder.js'
import { ownerState, thisProcess, type ProcessOwner } from '../run/process-owner.js'
import { packageVersion } from '../version.js'
import type { McpSettings } from './settings.js'

export const endpointName = 'endpoint.json'

/** Where a runner listens. */
export interface Endpoint {
  readonly port: number
  readonly token: string
  readonly owner: ProcessOwner
}

/** What a runner is asked to carry out. */
export interface Order {
  /** Of the run, and of this start of it: asked twice it is begun once. */
  readonly id: string
  /** The command line. */
  readonly words: readonly string[]
  /** Files that what it prints is added to. */
  readonly out: string
  readonly err: string
  /** Variables beside those of the runner. */
  readonly env: Readonly<Record<string, string>>
}

/** How long a runner may take to come up on a busy machine, ms. */
const patienceMs = 30_000

/** Runs share limits where these are the same; a change of one is another runner. */
async function runnerKey({ root, env, program, configFile }: McpSettings): Promise<string> {
  const { entries } = await listProviders({ configFile })
  const accounts = entries.flatMap(({ id, baseUrl, key }) => [id, baseUrl, key ?? ''])
  const named = /^(HOME|XDG_.*|AETHERFLOW_.*|NODE_.*|OTEL_.*|(https?|all|no)_proxy)$/i
  const settings = Object.entries(env).filter(([name]) => named.test(name))
  const parts = [root, packageVersion(), ...program, configFile ?? '', ...accounts, ...settings.sort().flat()]
  return digest(parts.map((part) => part ?? '')).slice(0, 32)
}

export class RunnerClient {
  readonly #settings: McpSettings

  constructor(settings: McpSettings) {
    this.#settings = settings
  }

  /** Has it carried out; resolves to the process that does so, and the folder by which it is found. Fails: host.io_failed. */
  async begin(order: Order): Promise<{ readonly owner: ProcessOwner; readonly folder: string }> {
    const key = await runnerKey(this.#settings)
    const folder = join(userStateFolder(this.#settings.env, 'runners'), key)
    // One that has just decided to end takes nothing more: the next one does.
    for (let tries = 0; tries < 5; ++tries) {
      const endpoint = (await livingEndpoint(folder)) ?? (await this.#start(folder))
      if (await post(endpoint, '/runs', order)) return { owner: endpoint.owner, folder }
    }
    throw new AetherflowError('host.io_failed', folder, 'the process that carries out runs does not answer')
  }

  async #start(folder: string): Promise<Endpoint> {
    const { program, env, root } = this.#settings
    await makeFolder(folder, 0o700)
    const log = await open(join(folder, 'messages.txt'), 'w', 0o600)
    try {
      const [file = '', ...words] = [...program, 'mcp-runner', folder]
      const how = { cwd: root, env: { ...env }, detached: true, windowsHide: true }
      const child = spawn(file, words, { ...how, stdio: ['ignore', 'ignore', log.fd] })
      let ended = false
      child.once('exit', () => (ended = true))
      await new Promise((resolve, reject) => child.once('spawn', resolve as () => void).once('error', reject))
      // A session of its own: nothing of it hangs on this process.
      child.unref()
      for (const until = performance.now() + patienceMs; performance.now() < until;) {
        const endpoint = await livingEndpoint(folder)
        if (endpoint !== undefined) return endpoint
        // Another was first: its endpoint comes in a moment.
        if (ended && performance.now() > until - patienceMs + 5000) break
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new AetherflowError(
        'host.io_failed',
        folder,
        'the process that carries out runs did not start: see messages.txt',
      )
    } finally {
      await log.close()
    }
  }
}

/** Asks the runner that has the run to cancel it; one that is gone has nothing to cancel. Fails: host.io_failed. */
export async function cancelAt(folder: string, owner: ProcessOwner, id: string): Promise<void> {
  for (let tries = 0; tries < 3; ++tries) {
    const endpoint = await livingEndpoint(folder)
    if (endpoint?.owner.pid !== owner.pid || endpoint.owner.started !== owner.started) return
    if (await post(endpoint, '/cancel', { id })) return
  }
  throw new AetherflowError('host.io_failed', folder, 'the process that carries the run out does not answer')
}

async function livingEndpoint(folder: string): Promise<Endpoint | undefined> {
  try {
    const endpoint = JSON.parse(await readFile(join(folder, endpointName), 'utf8')) as Endpoint
    return (await ownerState(endpoint.owner, await thisProcess())) === 'lives' ? endpoint : undefined
  } catch {
    return undefined
  }
}

/** False: it is not there, or takes nothing more. */
async function post({ port, token }: Endpoint, path: string, body: object): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  }).catch(() => undefined)
  await reply?.body?.cancel()
  return reply?.ok === true
}
