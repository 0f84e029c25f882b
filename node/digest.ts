import { createHash } from 'node:crypto'

/** SHA-256 in hex over texts that cannot run into each other. */
export function digest(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part, 'utf8')
  return hash.digest('hex')
}
