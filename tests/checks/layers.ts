/** The arrows of the architecture: which folder may name which. */
import path from 'node:path'
import ts from 'typescript'
import { lineOf, withoutComments, type Source } from './sources.js'

/** Core layers, lowest first; a folder may include those of lower rows, and itself. */
const coreLayers = [
  ['base'],
  ['plan', 'limit', 'prompt', 'metrics'],
  ['schedule', 'route', 'cache', 'index'],
  ['run'],
] as const

/** Plain types and pure functions of a sibling that another folder of the same row may include. Keep it short. */
const sharedTypes = new Set(['core/plan/plan.hpp', 'core/plan/templates.hpp', 'core/route/table.hpp'])

/** TypeScript folders and what each may import besides itself; the longest prefix that fits a path is its folder. */
const hostLayers: Readonly<Record<string, readonly string[]>> = {
  bindings: [],
  'web/standard': ['bindings'],
  'web/browser': ['bindings', 'web/standard'],
  'web/element': ['bindings', 'web/standard', 'web/browser'],
  'web/playground': ['bindings', 'web/standard', 'web/browser', 'web/element'],
  node: ['bindings', 'web/standard'],
  examples: [],
  tests: [
    'bindings',
    'web/standard',
    'web/browser',
    'web/element',
    'web/playground',
    'node',
    'scripts',
    'examples',
    'core',
  ],
  scripts: [],
}

/** Folders whose code must run where there is no Node. */
const withoutNode = ['bindings', 'web/standard', 'web/browser', 'web/element', 'web/playground']

/** Every line that runs an arrow backwards, as "path:line: why". */
export function violations(files: readonly Source[]): string[] {
  return files.flatMap((file) =>
    /\.(cpp|hpp)$/.test(file.path) ? includeViolations(file) : /\.ts$/.test(file.path) ? importViolations(file) : [],
  )
}

function includeViolations(file: Source): string[] {
  const wrong: string[] = []
  for (const match of withoutComments(file.text).matchAll(/^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]/gm)) {
    const [, quote, target = ''] = match
    const why = quote === '"' ? includeFault(file.path, target) : systemFault(file.path, target)
    if (why !== undefined) wrong.push(`${file.path}:${lineOf(file.text, match.index)}: ${why}`)
  }
  return wrong
}

function includeFault(from: string, target: string): string | undefined {
  if (from.startsWith('tests/')) return undefined
  if (!target.startsWith('core/')) return `includes "${target}": write the path from the root, and only into core/`
  if (!from.startsWith('core/')) return undefined
  const [own, other] = [layerOf(from), layerOf(target)]
  if (own === undefined || other === undefined) return `"${target}" or its includer lies in no layer of the core`
  if (own.folder === other.folder || other.level < own.level) return undefined
  if (own.level === other.level && sharedTypes.has(target)) return undefined
  return `core/${own.folder} must not include core/${other.folder}`
}

function systemFault(from: string, target: string): string | undefined {
  const allowed = /^bindings\/(?:exports|\w+_embind)\.cpp$/.test(from)
  return target.startsWith('emscripten') && !allowed
    ? `<${target}> belongs into bindings/exports.cpp and *_embind.cpp alone`
    : undefined
}

function layerOf(file: string): { folder: string; level: number } | undefined {
  const folder = file.split('/')[1] ?? ''
  const level = coreLayers.findIndex((row) => (row as readonly string[]).includes(folder))
  return level < 0 ? undefined : { folder, level }
}

function importViolations(file: Source): string[] {
  const wrong: string[] = []
  for (const { fileName, pos } of ts.preProcessFile(file.text, true, true).importedFiles) {
    const why = importFault(file.path, fileName)
    if (why !== undefined) wrong.push(`${file.path}:${lineOf(file.text, pos)}: ${why}`)
  }
  return wrong
}

function importFault(from: string, target: string): string | undefined {
  const own = folderOf(from)
  if (own === undefined) return 'lies in no layer'
  if (!target.startsWith('.')) {
    const bare = withoutNode.includes(own) && target.startsWith('node:')
    return bare ? `${own} runs without Node: '${target}'` : undefined
  }
  const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(from), target))
  // The compiled core lies beside the compiled bindings: dist/core. It is what bindings are about.
  if (own === 'bindings' && resolved.startsWith('core/')) return undefined
  const other = folderOf(resolved)
  if (other === own || (other !== undefined && hostLayers[own]?.includes(other))) return undefined
  return `${own} must not import ${other ?? resolved}`
}

function folderOf(file: string): string | undefined {
  const folders = [...Object.keys(hostLayers), 'core']
  return folders.filter((folder) => file.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0]
}
