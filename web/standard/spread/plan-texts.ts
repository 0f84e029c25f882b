/** Parts as texts of a plan, each whole and small enough to be one record of a journal. */
import type { Part } from './parts.js'

/** Characters of one text; a record of a journal is written as a whole, or not at all. */
const mostCharacters = 250_000

export function planTexts(parts: readonly Part[]): Uint8Array[] {
  const texts: string[] = []
  let [open, size] = [[] as string[], 0]
  const close = (): void => {
    if (open.length > 0) texts.push(`{"steps":[${open.join(',')}]}`)
    ;[open, size] = [[], 0]
  }
  for (const part of parts) {
    const json = JSON.stringify(part)
    if (size + json.length > mostCharacters) close()
    open.push(json)
    size += json.length
  }
  close()
  return texts.map((text) => new TextEncoder().encode(text))
}
