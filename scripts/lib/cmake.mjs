// Configures and builds CMake presets; a second call with nothing changed costs one no-op of ninja.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { at, digest, readJson, root } from './paths.mjs'
import { must, Stop } from './run.mjs'

/** What Emscripten needs around it. Debian's keeps acorn, which its link step loads, where Debian's Node alone looks for it. */
export function emscriptenEnvironment() {
  const debian = '/usr/share/nodejs'
  if (!existsSync(debian)) return {}
  return { NODE_PATH: [process.env.NODE_PATH, debian].filter(Boolean).join(path.delimiter) }
}

/**
 * Configures `preset` when its tree is absent, or was made with other presets, options or compilers, or for another place.
 * `options` are `-D` values.
 */
export async function configure(preset, found, options = {}) {
  const wasm = preset === 'wasm'
  const chosen = { ...options }
  if (wasm) chosen.EM_COMPILER = found.emscripten
  else {
    chosen.CMAKE_CXX_COMPILER = preset === 'fuzz' ? found.fuzzer : found.compiler
    // GoogleTest's project asks for C too, and a machine that has Emscripten's clang need not have a `cc`.
    const cc = chosen.CMAKE_CXX_COMPILER.replace(/\+\+(?=[^/]*$)/, '')
    if (/clang/.test(cc) && existsSync(cc)) chosen.CMAKE_C_COMPILER = cc
  }
  const key = digest(['CMakePresets.json'], JSON.stringify(chosen), root)
  const stampFile = `build/${preset}/configured.json`
  if (readJson(stampFile)?.key === key && existsSync(at('build', preset, 'build.ninja'))) return
  delete chosen.EM_COMPILER
  const args = ['--preset', preset, '--fresh', ...Object.entries(chosen).map(([name, value]) => `-D${name}=${value}`)]
  if (wasm) await must('emcmake', [found.cmake, ...args], { env: emscriptenEnvironment() })
  else await must(found.cmake, args)
  mkdirSync(at('build', preset), { recursive: true })
  writeFileSync(at(stampFile), JSON.stringify({ key }))
}

/** Builds `targets` of a configured preset. The number of jobs is ninja's choice, or CMAKE_BUILD_PARALLEL_LEVEL. */
export async function build(preset, found, targets) {
  const env = preset === 'wasm' ? emscriptenEnvironment() : {}
  try {
    await must(found.cmake, ['--build', at('build', preset), '--target', ...targets], { env })
  } catch (error) {
    // Of a failed build only what failed is worth reading.
    if (error instanceof Stop) error.message = error.message.replace(/^\[\d+\/\d+\] .*\n/gm, '')
    throw error
  }
}
