// Whether what was built is still what the sources say: by size and time of every file, without reading one. Some thousand files take
// twenty milliseconds; asking the compilers takes seconds.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root as projectRoot } from './paths.mjs'

/** What decides on a build, and what it writes. Files that are absent count as absent. */
const inputs = [
  ...['bindings', 'core', 'node', 'scripts', 'tests/CMakeLists.txt', 'web'],
  ...[
    'CMakeLists.txt',
    'CMakePresets.json',
    'package.json',
    'package-lock.json',
    'tsconfig.base.json',
    'tsconfig.json',
  ],
  'node_modules/.package-lock.json',
]
const outputs = ['dist']
const stamp = 'build/started.txt'

/** True when `rememberBuilt` was told of just these files, this Node and these compilers. */
export function isBuilt(root = projectRoot) {
  try {
    return readFileSync(path.join(root, stamp), 'utf8') === key(root)
  } catch {
    return false
  }
}

/** To be called at the end of a build that went well. */
export function rememberBuilt(root = projectRoot) {
  mkdirSync(path.join(root, 'build'), { recursive: true })
  writeFileSync(path.join(root, stamp), key(root))
}

function key(root) {
  const hash = createHash('sha256')
  for (const word of [process.version, process.env.CXX, process.env.EM_CONFIG]) hash.update(`${word}\0`)
  for (const name of [...inputs, ...outputs]) add(hash, root, name)
  return hash.digest('hex')
}

function add(hash, root, name) {
  const file = path.join(root, name)
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (found?.isDirectory()) {
    hash.update(`${name}/\0`)
    for (const entry of readdirSync(file).sort()) add(hash, root, `${name}/${entry}`)
  } else {
    hash.update(found === undefined ? `${name} absent\0` : `${name} ${found.size} ${found.mtimeNs}\0`)
  }
}
