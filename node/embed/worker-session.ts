/** A model that runs in a thread of its own. */
import { Worker } from 'node:worker_threads'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import type { ModelSession, PieceStates } from '../../web/standard/embed/runtime.js'
import { busyAt, stoppingAt, type Answer, type Call, type RuntimeStart, type WorkerStart } from './protocol.js'

interface Waiting {
  resolve(answer: Answer): void
  reject(error: AetherflowError): void
}
type Ask = Call extends infer Kind ? (Kind extends Call ? Omit<Kind, 'id'> : never) : never

/** Threads of this process that live. */
const living = new Set<WorkerSession>()
/** A text of the longest window takes a tenth of that natively. */
const longestWaitMs = 2000

/**
 * Without the flags of this process: they are its own business, and some are refused by threads.
 * Fails with cache.runtime in a bundle that left the thread's file behind.
 */
function startWorker(workerData: WorkerStart): Worker {
  try {
    return new Thread(new URL('./worker.js', import.meta.url), { workerData, execArgv: [] })
  } catch {
    // CommonJS has no import.meta.
    throw new AetherflowError('cache.runtime', './worker.js', unbundled)
  }
}

/** Under a name of its own: webpack would rewrite the expression, and for CommonJS into one that no engine reads. */
const Thread: typeof Worker = Worker

const unbundled =
  'the program was bundled without the thread that models run in: leave @aetherflow/aetherflow out of the bundle'

const failureWords = (error: unknown): string =>
  /MODULE_NOT_FOUND/.test(errorCode(error)) ? unbundled : `its thread failed: ${String(error)}`

/** The thread holds the process only while an answer is due. */
export class WorkerSession implements ModelSession {
  /** Which of the candidates it is. */
  runtime = ''
  readonly #worker: Worker
  readonly #state = new Int32Array(new SharedArrayBuffer(8))
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #over: AetherflowError | undefined

  /** Takes `model` over. Rejects with cache.runtime, cache.model. */
  static async open(start: RuntimeStart, model: Uint8Array): Promise<WorkerSession> {
    const session = new WorkerSession(start)
    try {
      const answer = await session.#ask({ kind: 'open', model }, moved(model))
      if (answer.kind === 'opened') session.runtime = answer.runtime
      return session
    } catch (error) {
      await session.close()
      throw error
    }
  }

  /** Closed, or its thread has died. */
  get ended(): boolean {
    return this.#over !== undefined
  }

  private constructor(start: RuntimeStart) {
    this.#worker = startWorker({ ...start, state: this.#state.buffer })
    if (living.size === 0) process.once('exit', stopAll)
    living.add(this)
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#end(failureWords(error)))
    this.#worker.on('exit', (code) => this.#end(`its thread ended with ${code}`))
  }

  async run(ids: Int32Array): Promise<PieceStates> {
    const answer = await this.#ask({ kind: 'run', ids }, [])
    if (answer.kind !== 'states') throw new AetherflowError('cache.model', '', 'an answer to another question')
    return answer
  }

  async close(): Promise<void> {
    this.#over ??= new AetherflowError('host.disposed')
    await this.#worker.terminate()
  }

  /**
   * When the process ends: lets the thread come to the end of what it is in, and begin nothing more. onnxruntime-node aborts
   * the process when its thread is ended in the middle of native code.
   */
  stop(): void {
    Atomics.store(this.#state, stoppingAt, 1)
    Atomics.wait(this.#state, busyAt, 1, longestWaitMs)
  }

  #ask(call: Ask, transfer: readonly ArrayBuffer[]): Promise<Answer> {
    if (this.#over) return Promise.reject(this.#over)
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage({ ...call, id } satisfies Call, transfer)
    })
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (answer.kind === 'failed') waiting?.reject(new AetherflowError(answer.code, '', answer.detail))
    else waiting?.resolve(answer)
  }

  #end(detail: string): void {
    living.delete(this)
    if (living.size === 0) process.removeListener('exit', stopAll)
    this.#over ??= new AetherflowError('cache.model', '', detail)
    for (const { reject } of this.#waiting.values()) reject(this.#over)
    this.#waiting.clear()
  }
}

function stopAll(): void {
  for (const session of living) session.stop()
}

/** A buffer that is the file alone moves; one of Node's pool is copied. */
function moved({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
