// The project's own files, without those that tools made.
import { readdirSync } from 'node:fs'
import { root } from './paths.mjs'

const foreign = new Set(['node_modules', 'build', 'dist', '.git', 'aetherflow-out'])

/** Paths below the root, with `/`, in order, whose name ends with one of `endings`. */
export function sources(endings, folder = '') {
  const found = []
  for (const entry of readdirSync(`${root}${folder}`, { withFileTypes: true })) {
    const name = `${folder}${entry.name}`
    if (entry.isDirectory()) {
      if (!foreign.has(entry.name)) found.push(...sources(endings, `${name}/`))
    } else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
      found.push(name)
    }
  }
  return found.sort()
}
