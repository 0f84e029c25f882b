/** The life of one C++ object behind its module, and what a trap does to it. */
import { AetherflowError } from './errors.js'

interface Deletable {
  delete(): void
}

const leaked = new FinalizationRegistry<Deletable>((session) => session.delete())

export class OwnedSession<S extends Deletable> {
  #session: S | undefined
  #trapped = false

  /** `owner`: the object that hands it out. Collected without dispose(), its C++ side is freed: no garbage collector sees that memory. */
  constructor(session: S, owner: object) {
    this.#session = session
    leaked.register(owner, session, this)
  }

  get disposed(): boolean {
    return this.#session === undefined
  }

  /** Frees the C++ side. Idempotent. */
  dispose(): void {
    if (this.#session === undefined) return
    leaked.unregister(this)
    if (!this.#trapped) this.#session.delete()
    this.#session = undefined
  }

  /** Throws host.disposed after dispose(); host.core_trap when the module trapped, now or before. */
  call<T>(action: (session: S) => T): T {
    if (this.#trapped) throw new AetherflowError('host.core_trap')
    if (this.#session === undefined) throw new AetherflowError('host.disposed')
    try {
      return action(this.#session)
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error
      // The C++ state is undefined now: nothing of this instance may be used again.
      this.#trapped = true
      throw new AetherflowError('host.core_trap', '', error.message)
    }
  }
}
