import { afterIo } from '../../../bindings/late.js'
import type { Clock, TransportBody } from '../../../bindings/ports.js'
import type { CallGuard } from './call-guard.js'
import { transportFailure } from './transport-failure.js'

/** How long a finished reply may keep its connection before it is closed, ms. */
const settleMs = 250

/** Decodes whole texts only, so that it keeps nothing between calls. */
const decoder = new TextDecoder()

/** The body as text, cut at `maxBytes`; what is left of a longer one is not read. `first`: was read already. Ends when the guard does. */
export async function readText(
  body: TransportBody,
  maxBytes: number,
  guard: CallGuard,
  first?: Uint8Array,
): Promise<string> {
  const parts: Uint8Array[] = first === undefined ? [] : [first]
  let length = first?.length ?? 0
  try {
    while (length < maxBytes) {
      const part = await body.read()
      if (guard.failure) throw guard.failure
      if (part === undefined) return decoder.decode(joined(parts, length))
      length += part.length
      guard.touch()
      // DeepSeek sends empty lines while the answer is not there.
      if (part.some((byte) => byte > 0x20)) guard.moved()
      parts.push(part)
    }
  } catch (error) {
    throw guard.failure ?? transportFailure(error, 'during')
  }
  body.cancel()
  return decoder.decode(joined(parts, length).subarray(0, maxBytes))
}

/** Most replies come in one piece, which is not copied. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/**
 * Lets go of a body whose answer is whole. It is first read to its end for a quarter of a second, in the background: a body
 * cancelled before its end closes the connection, and the next call would pay for a new one. A server that keeps the socket
 * open after the answer is cut off after that time.
 */
export function settle(body: TransportBody, clock: Clock): void {
  const stopWaiting = afterIo(clock, settleMs, () => body.cancel())
  const drain = async () => {
    try {
      while ((await body.read()) !== undefined);
    } catch {
      // The reply was whole before; how its connection ended is of no interest.
    }
    stopWaiting()
  }
  void drain()
}
