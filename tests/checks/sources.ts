/** The project's own files, as the checks see them. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The project's folder, with a slash at its end. Compiled tests lie in build/tests-js/tests/checks/. */
export const root = fileURLToPath(new URL('../../../../', import.meta.url))

export interface Source {
  /** Path below the root, with `/`. */
  readonly path: string
  readonly text: string
}

const foreign = new Set(['node_modules', 'build', 'dist', '.git', 'aetherflow-out'])

/** Paths of all files whose names end with one of `endings`, in order. */
export function paths(endings: readonly string[], folder = ''): string[] {
  const found: string[] = []
  for (const entry of readdirSync(root + folder, { withFileTypes: true })) {
    const name = folder + entry.name
    if (entry.isDirectory() && !foreign.has(entry.name)) found.push(...paths(endings, `${name}/`))
    if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) found.push(name)
  }
  return found.sort()
}

export const sources = (endings: readonly string[], folder = ''): Source[] =>
  paths(endings, folder).map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))

/** C++ or JavaScript text without its comments; line breaks stay, so line numbers hold. */
export function withoutComments(text: string): string {
  const token = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found))
}

/** Line number, from 1, of a position in a text. */
export const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length
