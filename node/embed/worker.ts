/** The thread that runs a model: ONNX Runtime blocks its thread for the 2–250 ms of a text, and a run must hear its streams meanwhile. */
import { parentPort, workerData } from 'node:worker_threads'
import { AetherflowError } from '../../bindings/errors.js'
import { ortRuntime, type ModelRuntime, type ModelSession, type OrtLike } from '../../web/standard/embed/runtime.js'
import { busyAt, stoppingAt, type Answer, type Call, type WorkerStart } from './protocol.js'

const { candidates, threads, state: shared } = workerData as WorkerStart
const state = new Int32Array(shared)
const port = parentPort!
let session: Promise<ModelSession> | undefined

/** The first that loads: a native module may be there and not fit this system. */
async function findRuntime(): Promise<ModelRuntime> {
  const faults: string[] = []
  for (const { name, module } of candidates) {
    try {
      const loaded = (await import(module)) as { default?: OrtLike } & OrtLike
      return ortRuntime(loaded.default ?? loaded, name, threads)
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`)
    }
  }
  throw new AetherflowError('cache.runtime', '', faults.join('; '))
}

async function answer(call: Call): Promise<Answer> {
  const { id } = call
  try {
    if (call.kind === 'open') {
      const runtime = await findRuntime()
      session = runtime.open(call.model)
      await session
      return { id, kind: 'opened', runtime: runtime.name }
    }
    const { states, dimensions } = await (await session!).run(call.ids)
    return { id, kind: 'states', states, dimensions }
  } catch (error) {
    const code = error instanceof AetherflowError && error.code === 'cache.runtime' ? error.code : 'cache.model'
    const detail = error instanceof AetherflowError ? error.detail : String(error)
    return { id, kind: 'failed', code, detail }
  }
}

/** Marks this thread as busy meanwhile. Never comes back once the process is ending. */
async function marked<T>(work: () => Promise<T>): Promise<T> {
  // First the mark, then the look: anyone who ends the process does it in the other order, so one of the two sees the other.
  Atomics.store(state, busyAt, 1)
  try {
    if (Atomics.load(state, stoppingAt) === 1) {
      free()
      return await new Promise<never>(() => {})
    }
    return await work()
  } finally {
    free()
  }
}

function free(): void {
  Atomics.store(state, busyAt, 0)
  Atomics.notify(state, busyAt)
}

let last: Promise<unknown> = Promise.resolve()
port.on('message', (call: Call) => {
  // One after the other, so that the mark is of one.
  last = last
    .then(() => marked(() => answer(call)))
    .then((reply) => {
      // The states move over without a copy; those that only look into a larger buffer are copied by the message.
      const owned = reply.kind === 'states' && reply.states.byteLength === reply.states.buffer.byteLength
      port.postMessage(reply, owned ? [reply.states.buffer as ArrayBuffer] : [])
    })
})
