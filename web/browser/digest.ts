/** node/digest.ts in a page: what the platform offers is asynchronous, and missing from pages without TLS. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/** SHA-256 in hex over texts that cannot run into each other. */
export function digest(parts: readonly string[]): string {
  const encoder = new TextEncoder()
  const hash = sha256.create()
  for (const part of parts) hash.update(encoder.encode(`${part.length}:`)).update(encoder.encode(part))
  return bytesToHex(hash.digest())
}
