/** What reply headers say of an account's limits. Pages see few of them: providers do not expose them to scripts. */
import type { LimitWindow } from '../../bindings/generated/wire.js'
import type { LimitSeen } from '../../bindings/ports.js'
import { durationMs } from './failure/retry-after.js'

/** Reads one provider's headers. `header`: a value by its name in lower case, `null` when absent. Never throws. */
export type ReadLimits = (header: (name: string) => string | null) => readonly LimitSeen[]

/** OpenAI counts requests and tokens per minute, and most OpenAI-compatible hosts copied the names. */
export const openaiLimits = standardNames('requests_per_minute')

/** Groq uses OpenAI's names, but its requests are those of a day. */
export const groqLimits = standardNames('requests_per_day')

/** Mistral writes the window into the name, shortens `requests`, and tells no reset: its windows are minutes of the clock. */
export const mistralLimits: ReadLimits = (header) =>
  known([
    read(header, 'requests_per_minute', 'x-ratelimit-limit-req-minute', 'x-ratelimit-remaining-req-minute'),
    read(header, 'tokens_per_minute', 'x-ratelimit-limit-tokens-minute', 'x-ratelimit-remaining-tokens-minute'),
  ])

/** DeepSeek and Gemini send none. */
export const noLimits: ReadLimits = () => []

function standardNames(requests: LimitWindow): ReadLimits {
  return (header) => known([standard(header, requests, 'requests'), standard(header, 'tokens_per_minute', 'tokens')])
}

function standard(header: Parameters<ReadLimits>[0], window: LimitWindow, what: string): LimitSeen | undefined {
  const name = (part: string) => `x-ratelimit-${part}-${what}`
  return read(header, window, name('limit'), name('remaining'), name('reset'))
}

function read(
  header: Parameters<ReadLimits>[0],
  window: LimitWindow,
  limitName: string,
  remainingName: string,
  resetName?: string,
): LimitSeen | undefined {
  const limit = countOf(header(limitName))
  const remaining = countOf(header(remainingName))
  if (limit === undefined && remaining === undefined) return undefined
  const resetMs = resetName === undefined ? undefined : resetOf(header(resetName))
  return {
    window,
    ...(limit !== undefined && { limit }),
    ...(remaining !== undefined && { remaining }),
    ...(resetMs !== undefined && { resetMs }),
  }
}

/** A duration, or bare seconds; a moment of the clock says nothing without knowing whose clock. */
function resetOf(text: string | null): number | undefined {
  if (text !== null && /^\s*\d{1,6}(?:\.\d+)?\s*$/.test(text)) return Math.ceil(Number(text) * 1000)
  return durationMs(text)
}

/** Whole numbers only: `-1` and `unlimited` have been seen where there is no limit, and say nothing. */
function countOf(text: string | null): number | undefined {
  if (text === null || !/^\s*\d{1,15}\s*$/.test(text)) return undefined
  return Number(text)
}

function known(seen: readonly (LimitSeen | undefined)[]): readonly LimitSeen[] {
  return seen.filter((entry) => entry !== undefined)
}
