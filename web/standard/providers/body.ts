import type { Clock } from '../../../bindings/ports.js'
import type { CallGuard } from './call-guard.js'
import { transportFailure } from './transport-failure.js'

/** How long a finished reply may keep its connection before it is closed, ms. */
const settleMs = 250

/** The body as text, cut at `maxBytes`; what is left of a longer one is not read. Ends when the guard does. */
export async function readText(response: Response, maxBytes: number, guard: CallGuard): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const decoder = new TextDecoder()
  const parts: string[] = []
  guard.onStop(() => void reader.cancel().catch(() => undefined))
  try {
    for (let bytes = 0; bytes < maxBytes;) {
      const { done, value } = await reader.read()
      if (guard.failure) throw guard.failure
      if (done) return parts.join('') + decoder.decode()
      bytes += value.length
      guard.touch()
      parts.push(decoder.decode(value, { stream: true }))
    }
  } catch (error) {
    throw guard.failure ?? transportFailure(error, 'during')
  }
  settle(reader, undefined)
  return parts.join('').slice(0, maxBytes)
}

/**
 * Lets go of a body that is read no further. With a clock it is first read to its end for a quarter of a second, in the
 * background: a body cancelled before its end closes the connection, and the next call would pay for a new one. A server
 * that keeps the socket open after the answer is cut off after that time.
 */
export function settle(reader: ReadableStreamDefaultReader<Uint8Array>, clock: Clock | undefined): void {
  const close = () => void reader.cancel().catch(() => undefined)
  if (!clock) return close()
  const stopWaiting = clock.after(settleMs, close)
  const drain = async () => {
    try {
      while (!(await reader.read()).done);
    } catch {
      // The reply was whole before; how its connection ended is of no interest.
    }
    stopWaiting()
  }
  void drain()
}
