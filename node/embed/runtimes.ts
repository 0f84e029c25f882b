/** Where ONNX Runtime is installed. */
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AetherflowError } from '../../bindings/errors.js'
import type { RuntimeCandidate } from './protocol.js'

export type RuntimeName = 'onnxruntime-node' | 'onnxruntime-web'

const known: readonly { readonly name: RuntimeName; readonly label: string }[] = [
  // Native code first: three to seven times as fast (tests/bench/embed-speed.mjs).
  { name: 'onnxruntime-node', label: 'onnxruntime-node' },
  { name: 'onnxruntime-web', label: 'onnxruntime-web (wasm)' },
]

export interface RuntimeChoice {
  /** Only this one; default: the best that is there and loads. */
  readonly runtime?: RuntimeName | undefined
  /** A folder whose node_modules are looked into first. */
  readonly modulesFrom?: string | undefined
}

/**
 * What can be tried, best first. Looked for beside this package and beside the program that was started (a linked or global
 * installation finds the project's that way), and never in the working folder: a cloned repository is not trusted with code.
 * Fails with cache.runtime when nothing is installed.
 */
export function runtimeCandidates({ runtime, modulesFrom }: RuntimeChoice = {}): RuntimeCandidate[] {
  const program = process.argv[1]
  const places = [
    ...(modulesFrom === undefined ? [] : [join(resolve(modulesFrom), 'any.js')]),
    import.meta.url,
    ...(program === undefined ? [] : [join(dirname(resolve(program)), 'any.js')]),
  ]
  const names = known.filter(({ name }) => runtime === undefined || name === runtime)
  const found = names.flatMap(({ name, label }) =>
    [...new Set(places.flatMap((place) => resolveFrom(place, name)))].map((module) => ({ name: label, module })),
  )
  if (found.length === 0)
    throw new AetherflowError('cache.runtime', '', `${names.map(({ name }) => name).join(' and ')} not found`)
  return found
}

/** Of a package, its main module; none where it cannot be reached. */
function resolveFrom(place: string, name: string): string[] {
  try {
    return [pathToFileURL(createRequire(place).resolve(name)).href]
  } catch {
    return []
  }
}
