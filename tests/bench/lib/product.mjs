// The product as the benches use it: the compiled output in dist/, as published.
import { readFileSync } from 'node:fs'

export { CoreRun } from '../../../dist/bindings/core.js'
export { decodeCommands } from '../../../dist/bindings/commands.js'
export { Driver } from '../../../dist/bindings/driver.js'
export { loadCore } from '../../../dist/node/loader.js'
export { explainPlan, runPlan } from '../../../dist/node/index.js'
export { pooledTransport } from '../../../dist/node/transport/transport.js'
export { ModelPerformer } from '../../../dist/web/standard/run/performer.js'
export { createOpenAiCompatible, generic } from '../../../dist/web/standard/providers/index.js'
export { SseReader } from '../../../dist/web/standard/sse.js'
export { systemClock } from '../../../dist/web/standard/clock.js'
export { simulatorProfiles } from '../../../dist/web/standard/simulator/index.js'

/** A file of the project by its path below the root. */
export const projectFile = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url))

/** The folder of data that is shared between projects, and never part of this one. */
export function sharedFile(path) {
  const folder = process.env.AETHERFLOW_SHARED
  const url = folder === undefined ? new URL(`../../../../shared/${path}`, import.meta.url) : `${folder}/${path}`
  try {
    return readFileSync(url)
  } catch {
    return undefined
  }
}
