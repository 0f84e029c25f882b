/** One model of this process, however many have it open: loaded with the first text, given up with the last user. */
import { sha256 } from '../../web/standard/embed/onnx.js'
import type { LoadedModel } from '../../web/standard/embed/onnx.js'
import { makeTokeniser } from '../../web/standard/embed/pieces.js'
import type { ModelSession, PieceStates } from '../../web/standard/embed/runtime.js'
import { readModel, readTokenizer, type FoundModel } from './model-files.js'
import type { RuntimeStart } from './protocol.js'
import { WorkerSession } from './worker-session.js'

const shared = new Map<string, SharedModel>()

/** The same object for the same file, runtimes and threads. */
export function sharedModel(found: FoundModel, start: RuntimeStart): SharedModel {
  const key = [found.identity, found.folder, start.threads, ...start.candidates.map(({ module }) => module)].join('|')
  let model = shared.get(key)
  if (!model) shared.set(key, (model = new SharedModel(found, start)))
  return model
}

export class SharedModel {
  readonly #found: FoundModel
  readonly #start: RuntimeStart
  #users = 0
  #loading: Promise<LoadedModel> | undefined
  #session: Promise<WorkerSession> | undefined
  #sum: Promise<string> | undefined

  constructor(found: FoundModel, start: RuntimeStart) {
    this.#found = found
    this.#start = start
  }

  /** Computed once: a model of this size takes 30 ms. */
  checksum(): Promise<string> {
    this.#sum ??= readModel(this.#found)
      .then(sha256)
      .catch((error: unknown) => {
        this.#sum = undefined
        throw error
      })
    return this.#sum
  }

  /** Each success is to be followed by one `release`. */
  async acquire(): Promise<LoadedModel> {
    this.#users++
    const loading = (this.#loading ??= this.#load())
    try {
      return await loading
    } catch (error) {
      if (this.#loading === loading) this.#loading = undefined
      await this.release()
      throw error
    }
  }

  async release(): Promise<void> {
    if (--this.#users > 0) return
    const session = this.#session
    this.#loading = this.#session = undefined
    await (await session?.catch(() => undefined))?.close()
  }

  async #load(): Promise<LoadedModel> {
    // Side by side: the tokenizer is made here while the other thread starts.
    const [tokenise, session] = await Promise.all([readTokenizer(this.#found.folder).then(makeTokeniser), this.#open()])
    return { tokenise, session: this.#facade(), runtime: session.runtime }
  }

  /** Runs in whatever thread there is: one that has died (out of memory, say) is replaced with the next text. */
  #facade(): ModelSession {
    return {
      run: async (ids): Promise<PieceStates> => (await this.#open()).run(ids),
      // Closed by the last `release`.
      close: async () => {},
    }
  }

  async #open(): Promise<WorkerSession> {
    const known = this.#session
    const last = await known?.catch(() => undefined)
    if (last?.ended === false) return last
    // Someone else who found it dead was faster.
    if (this.#session !== known) return this.#open()
    const opening = readModel(this.#found).then((bytes) => WorkerSession.open(this.#start, bytes))
    this.#session = opening
    return opening
  }
}
