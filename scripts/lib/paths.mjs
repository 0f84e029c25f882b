// Where things lie. Every script works from the project's root, whatever folder it was called from.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
export const at = (...parts) => path.join(root, ...parts)

/** SHA-256 over files (by path below the root) and plain texts: the key of every stamp. */
export function digest(files, ...texts) {
  const hash = createHash('sha256')
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(at(file)))
      .update('\0')
  for (const text of texts) hash.update(text).update('\0')
  return hash.digest('hex')
}

/** The JSON in a file below the root, or `undefined` when there is none that can be read. */
export function readJson(file) {
  try {
    return JSON.parse(readFileSync(at(file), 'utf8'))
  } catch {
    return undefined
  }
}
