/** A program of a box from its start to its end: output is bounded, processes are watched, and all of them are killed. */
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { BoxLimits, BoxResult, Stopped } from './box-port.js'
import { processTree } from './process-tree.js'

const keptBytes = 64 << 10
/** How often memory and processes are looked at. */
const lookMs = 40

/** The last bytes of a stream. */
class Tail {
  #pieces: Buffer[] = []
  #kept = 0
  total = 0

  add(piece: Buffer): void {
    this.total += piece.length
    this.#pieces.push(piece)
    this.#kept += piece.length
    // Joined now and then: never for each piece.
    if (this.#kept > 4 * keptBytes) this.#cut()
  }
  text(): string {
    this.#cut()
    const [all = Buffer.alloc(0)] = this.#pieces
    // A character that was cut through is left out.
    let from = 0
    if (this.total > all.length) while (from < all.length && ((all[from] ?? 0) & 0xc0) === 0x80) ++from
    return all.subarray(from).toString('utf8')
  }
  #cut(): void {
    const all = Buffer.concat(this.#pieces)
    this.#pieces = [all.subarray(Math.max(0, all.length - keptBytes))]
    this.#kept = this.#pieces[0]?.length ?? 0
  }
}

/**
 * The process's group, then what is below it. The group first: with the first process of a namespace all of it ends, however fast
 * it multiplies.
 */
function killAll(child: ChildProcess, most: number): void {
  if (child.pid === undefined) return
  kill(-child.pid)
  for (const pid of processTree(child.pid, most).pids) kill(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

/** A program that runs, and why it was stopped. */
class Running {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #limits: BoxLimits
  readonly #began = performance.now()
  readonly #tail = new Tail()
  #stopped: Stopped | undefined

  constructor(start: readonly string[], folder: string, limits: BoxLimits) {
    const [program = '', ...args] = start
    this.#limits = limits
    this.#child = spawn(program, args, {
      cwd: folder,
      // What `sh` of a box is found by; the box's own program gets its own.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    })
  }

  stop(why: Stopped): void {
    this.#stopped ??= why
    killAll(this.#child, this.#limits.processes)
  }

  #take(piece: Buffer): void {
    if (this.#stopped !== undefined) return
    this.#tail.add(piece)
    if (this.#tail.total > this.#limits.outputBytes) this.stop('output')
  }

  #look(): void {
    const { pid } = this.#child
    if (pid === undefined) return
    const { memoryBytes, processes } = this.#limits
    const { pids, bytes } = processTree(pid, processes)
    // Killed again at each look until nothing is left: what was made meanwhile goes too.
    if (this.#stopped !== undefined) this.stop(this.#stopped)
    else if (bytes > memoryBytes) this.stop('memory')
    else if (pids.length > processes) this.stop('processes')
  }

  end(): Promise<BoxResult> {
    const child = this.#child
    child.stdout.on('data', (piece: Buffer) => this.#take(piece))
    child.stderr.on('data', (piece: Buffer) => this.#take(piece))
    const timer = setTimeout(() => this.stop('time'), this.#limits.timeMs)
    const watch = setInterval(() => this.#look(), lookMs)
    // A process that left its parent behind may hold the output open: the group goes with its first process.
    child.on('exit', () => killAll(child, this.#limits.processes))
    return new Promise<BoxResult>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, killedBy) => resolve(this.#result(code, killedBy)))
    }).finally(() => {
      clearTimeout(timer)
      clearInterval(watch)
    })
  }

  #result(code: number | null, killedBy: NodeJS.Signals | null): BoxResult {
    const ms = Math.round(performance.now() - this.#began)
    const stopped = this.#stopped
    const exit = stopped === undefined ? (code ?? 128 + (constants.signals[killedBy ?? 'SIGKILL'] ?? 9)) : undefined
    return { exit, stopped, output: this.#tail.text(), outputBytes: this.#tail.total, ms }
  }
}

/** `start`: program and arguments as this machine runs them. Rejects only when it cannot be started. */
export async function boxed(
  start: readonly string[],
  folder: string,
  limits: BoxLimits,
  signal: AbortSignal | undefined,
): Promise<BoxResult> {
  const running = new Running(start, folder, limits)
  const onAbort = (): void => running.stop('cancelled')
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const end = running.end()
    if (signal?.aborted === true) onAbort()
    return await end
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
