/** Circles of imports, of types too: anyone who reads one file of a circle has to read them all. */
import path from 'node:path'
import ts from 'typescript'
import type { Source } from './sources.js'

/** Each circle once, as the shortest way back: `a.ts → b.ts → a.ts`. */
export function circles(files: readonly Source[]): string[] {
  const known = new Set(files.map((file) => file.path))
  const imports = new Map(files.map((file) => [file.path, importsOf(file).filter((target) => known.has(target))]))
  const found = new Map<string, string>()
  for (const start of known) {
    const way = wayBack(start, imports)
    if (way === undefined) continue
    // The same circle is met from each of its files.
    const key = [...way].sort().join(' ')
    if (!found.has(key)) found.set(key, [...way, start].join(' → '))
  }
  return [...found.values()]
}

/** Breadth first, so that the way is the shortest. */
function wayBack(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const from = new Map<string, string>()
  const queue = [start]
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const next of imports.get(at) ?? []) {
      if (next === start) {
        const way: string[] = []
        for (let step: string | undefined = at; step !== undefined && step !== start; step = from.get(step))
          way.unshift(step)
        return [start, ...way]
      }
      if (from.has(next)) continue
      from.set(next, at)
      queue.push(next)
    }
  }
  return undefined
}

function importsOf({ path: file, text }: Source): string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => path.posix.normalize(path.posix.join(path.posix.dirname(file), name)).replace(/\.js$/, '.ts'))
}
