/** `aetherflow mcp-runner DIR`: carries out runs that tools of assistants have started, all in this process, so that they share limits. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { AetherflowError } from '../../index.js'
import { sameText } from '../../mcp/http.js'
import { endedLine } from '../../mcp/run-log.js'
import { endpointName, type Endpoint, type Order } from '../../mcp/runner-client.js'
import { RunLock } from '../../run/lock.js'
import { writeWhole } from '../../run/outputs.js'
import { thisProcess } from '../../run/process-owner.js'
import { exitCodes, type ExitCode, type Host, type Output } from '../host.js'

/** A runner without a run ends after so many ms. */
const idleMs = 10_000
const mostOrderBytes = 1 << 20

/** The command line in this process. */
export type CommandLine = (words: readonly string[], host: Host) => Promise<ExitCode>

/** Resolves when it has been idle, or was told to end and all runs have ended in order. Fails: host.io_failed. */
export async function mcpRunner(folder: string, host: Host, commandLine: CommandLine): Promise<ExitCode> {
  let lock: RunLock
  try {
    lock = await RunLock.acquire(folder)
  } catch (error) {
    // Another was first, and does the work.
    if (error instanceof AetherflowError && error.code === 'host.run_locked') return exitCodes.ok
    throw error
  }
  const runner = new Runner(host, commandLine)
  const token = randomBytes(32).toString('base64url')
  const server = createServer((request, response) => void answer(request, response, token, runner))
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const endpoint: Endpoint = { port, token, owner: await thisProcess() }
    await writeWhole(folder, endpointName, JSON.stringify(endpoint))
    await runner.over()
  } finally {
    await unlink(join(folder, endpointName)).catch(() => undefined)
    await close(server)
    await lock.release()
  }
  return exitCodes.ok
}

function close(server: Server): Promise<void> {
  server.closeIdleConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

class Runner {
  readonly #host: Host
  readonly #commandLine: CommandLine
  readonly #runs = new Map<string, AbortController>()
  #stopIdle: (() => void) | undefined
  #end: () => void = () => undefined
  readonly #ended: Promise<void>
  /** From here on it takes nothing more. */
  #ending = false

  constructor(host: Host, commandLine: CommandLine) {
    this.#host = host
    this.#commandLine = commandLine
    this.#ended = new Promise((resolve) => (this.#end = resolve))
    this.#idle()
    host.signal.addEventListener('abort', () => this.#interrupt(), { once: true })
  }

  over(): Promise<void> {
    return this.#ended
  }

  /** False: it takes nothing more. */
  begin(order: Order): boolean {
    if (this.#runs.has(order.id)) return true
    if (this.#ending) return false
    this.#stopIdle?.()
    const cancelled = new AbortController()
    this.#runs.set(order.id, cancelled)
    void this.#carryOut(order, cancelled).finally(() => {
      this.#runs.delete(order.id)
      if (this.#runs.size > 0) return
      if (this.#ending) this.#end()
      else this.#idle()
    })
    return true
  }

  cancel(id: string): void {
    this.#runs.get(id)?.abort()
  }

  /** Never rejects: what goes wrong is told where the run tells it. */
  async #carryOut({ words, out, err, env }: Order, cancelled: AbortController): Promise<void> {
    const [stdout, stderr] = [new AppendedFile(out, cancelled), new AppendedFile(err, cancelled)]
    const host = { ...this.#host, stdin: nothing(), stdout, stderr, env: { ...this.#host.env, ...env } }
    try {
      await this.#commandLine(words, { ...host, signal: cancelled.signal })
    } finally {
      // Whatever it came to: its process lives on, so that nobody may take it for one at work.
      stdout.write(endedLine)
      stdout.close()
      stderr.close()
    }
  }

  #idle(): void {
    this.#stopIdle = this.#host.clock.after(idleMs, () => {
      this.#ending = true
      this.#end()
    })
  }

  #interrupt(): void {
    this.#ending = true
    this.#stopIdle?.()
    for (const cancelled of this.#runs.values()) cancelled.abort()
    if (this.#runs.size === 0) this.#end()
  }
}

/** Written at once, as standard output is to a file; when that fails the run ends as one does whose reader has gone. */
class AppendedFile implements Output {
  readonly #cancelled: AbortController
  #file: number | undefined

  constructor(path: string, cancelled: AbortController) {
    this.#cancelled = cancelled
    try {
      this.#file = openSync(path, 'a', 0o600)
    } catch {
      cancelled.abort()
    }
  }

  write(text: string): void {
    if (this.#file === undefined) return
    const bytes = Buffer.from(text, 'utf8')
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at)
    } catch {
      this.#cancelled.abort()
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // There is none.
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  runner: Runner,
): Promise<void> {
  const end = (status: number): void => void response.writeHead(status, { connection: 'close' }).end()
  if (!sameText(request.headers.authorization ?? '', `Bearer ${token}`)) return end(401)
  try {
    const body = JSON.parse(await textOf(request)) as Order
    if (request.url === '/runs') return end(runner.begin(body) ? 200 : 503)
    if (request.url === '/cancel') runner.cancel(body.id)
    end(request.url === '/cancel' ? 200 : 404)
  } catch {
    end(400)
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    if ((bytes += part.length) > mostOrderBytes) throw new Error('too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
