import type { Refusal } from './wire.js'

/** Google's envelope; `details` is left out when there are none. */
export function googleError(code: number, status: string, message: string, details: readonly object[] = []): Refusal {
  return { status: code, body: { error: { code, message, status, ...(details.length > 0 && { details }) } } }
}
