/** Finds a key wherever it could have got to. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { inspect } from 'node:util'

/** The key as it is, and as somebody might have written it on. */
export function disguises(key: string): readonly string[] {
  const base64 = Buffer.from(key).toString('base64')
  return [
    key,
    base64.replace(/=+$/, ''),
    Buffer.from(key).toString('hex'),
    [...key].reverse().join(''),
    key.slice(3, 19),
  ]
}

/** Everything that an object holds: hidden and inherited members, causes, stacks, maps, symbols. */
export function everything(value: unknown): string {
  const options = { depth: null, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null } as const
  return inspect(value, { ...options, breakLength: Infinity })
}

/** The disguises of `key` that `text` holds: none, when all is well. */
export function leaks(text: string, key: string): string[] {
  return disguises(key).filter((disguise) => text.includes(disguise))
}

/** The text of every file below `folder`, by its path; links are named, not followed. */
export function filesBelow(folder: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name)
    found.set(path.relative(folder, file), entry.isFile() ? readFileSync(file, 'latin1') : '')
  }
  return found
}
