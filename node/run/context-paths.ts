/** What `context.files` of a step means: files, folders (all below, as deep as they go), and patterns with `*`, `**`, `?` and `{a,b}`. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { patiently } from '../patience.js'

/** Most files that one entry of a plan may come to, unless who asks says otherwise. */
const mostFiles = 1000

/** What is never meant by a folder or a pattern: what tools make, and what is hidden. Named itself, it still is. */
const passedOver = new Set(['node_modules', 'dist', 'build', 'target', '__pycache__', 'aetherflow-out'])

/**
 * The files below `base` that an entry names, sorted, with `/`; an entry that is a file, or is not there, stands for itself: reading
 * it tells. Links are not followed. Fails: host.file_refused for a pattern or folder without files, or with too many.
 */
export async function contextPaths(base: string, entry: string, most = mostFiles): Promise<string[]> {
  const parts = entry
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  const isPattern = /[*?{]/.test(entry)
  // Patterns climb nowhere and begin nowhere else; such a path by itself is refused where it is read.
  if (entry.startsWith('/') || parts.includes('..')) return [entry]
  // A file may be called so.
  const kind = await patiently(() => lstat(join(base, entry))).catch((error: unknown) => {
    if (/ENOENT|ENOTDIR|EINVAL|ENAMETOOLONG|EACCES|ERR_INVALID_ARG_VALUE/.test(errorCode(error))) return undefined
    throw error
  })
  if (kind?.isDirectory() !== true && (kind !== undefined || !isPattern)) return [entry]
  const literal =
    kind?.isDirectory() === true
      ? parts
      : parts.slice(
          0,
          parts.findIndex((part) => /[*?{]/.test(part)),
        )
  const patterns = kind?.isDirectory() === true ? undefined : alternatives(parts.join('/')).map((one) => one.split('/'))
  const test = patterns && ((path: readonly string[]): boolean => patterns.some((pattern) => matches(pattern, path)))
  const found = (await isReal(base, literal)) ? await below(base, literal.join('/'), test, most) : []
  if (found.length === 0) {
    const what = test === undefined ? 'the folder has no files' : 'no file matches'
    throw new AetherflowError(
      'host.file_refused',
      entry,
      `${what}; hidden ones and ${[...passedOver].join(', ')} do not count`,
    )
  }
  return found.sort()
}

/** No part of it is a link: what is behind one may be anywhere. */
async function isReal(base: string, parts: readonly string[]): Promise<boolean> {
  for (let count = 1; count <= parts.length; ++count) {
    const info = await patiently(() => lstat(join(base, ...parts.slice(0, count)))).catch(() => undefined)
    if (info?.isDirectory() !== true) return false
  }
  return true
}

async function below(
  base: string,
  folder: string,
  test: ((path: readonly string[]) => boolean) | undefined,
  most: number,
): Promise<string[]> {
  const found: string[] = []
  const waiting = [folder]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const here = next
    const entries = await patiently(() => readdir(join(base, here), { withFileTypes: true })).catch(() => [])
    for (const entry of entries) {
      if (entry.name.startsWith('.') || passedOver.has(entry.name)) continue
      const path = here === '' ? entry.name : `${here}/${entry.name}`
      if (entry.isDirectory()) waiting.push(path)
      else if (entry.isFile() && (test === undefined || test(path.split('/')))) found.push(path)
      if (found.length > most)
        throw new AetherflowError('host.file_refused', folder || '.', `more than ${most} files: name fewer`)
    }
  }
  return found
}

/** `**` is any number of folders; within a name `*` is any text, `?` one character; `{a,b}` has been taken apart. */
function matches(pattern: readonly string[], path: readonly string[]): boolean {
  // reach[j]: the pattern so far takes in the first j parts of the path. A plan is untrusted: no search that goes back and forth.
  let reach = path.map(() => false)
  reach.unshift(true)
  for (const part of pattern) {
    const next = reach.map(() => false)
    for (let j = 0; j <= path.length; ++j) {
      if (part === '**') next[j] = reach[j] === true || (j > 0 && next[j - 1] === true)
      else next[j] = j > 0 && reach[j - 1] === true && matchesName(part, path[j - 1] ?? '')
    }
    reach = next
  }
  return reach[path.length] === true
}

function matchesName(pattern: string, name: string): boolean {
  let [at, star, tried] = [0, -1, 0]
  for (let i = 0; i < name.length;) {
    const wanted = pattern[at]
    if (wanted === '*') [star, tried, at] = [at, i, at + 1]
    else if (wanted === '?' || wanted === name[i]) [at, i] = [at + 1, i + 1]
    else if (star < 0) return false
    // The last star takes one character more; earlier ones need not change.
    else [at, tried, i] = [star + 1, tried + 1, tried + 1]
  }
  while (pattern[at] === '*') ++at
  return at === pattern.length
}

/** Patterns without braces; too many of them are refused. */
function alternatives(entry: string): string[] {
  let patterns = [entry]
  for (;;) {
    const open = patterns.findIndex((pattern) => /\{[^{}]*\}/.test(pattern))
    if (open < 0) return patterns
    if (patterns.length > 100) throw new AetherflowError('host.file_refused', entry, 'too many alternatives in braces')
    patterns = patterns.flatMap((pattern, index) => {
      const [, before = '', inner = '', after = ''] =
        index === open ? (/^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? []) : []
      return index === open ? inner.split(',').map((one) => `${before}${one}${after}`) : [pattern]
    })
  }
}
