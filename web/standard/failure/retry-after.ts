/** A wait of a day or longer is the same decision as a day; it also keeps timers inside their 31 bits. */
const longestMs = 24 * 3600 * 1000

/** Headers by name: the platform's `Headers`, or what a transport gives. */
export type HeaderReader = Pick<Headers, 'get'>

/** What the wait is read from. `nowMs` is wall-clock time, ms since 1970: only an HTTP date needs it. */
export interface RetrySource {
  readonly headers: HeaderReader
  /** The provider's message, e.g. Groq's "Please try again in 7.5s". */
  readonly message: string
  /** The error's `type`: Groq and OpenAI say `tokens` or `requests`, which names the limit that was hit. */
  readonly type: string
  readonly nowMs: number
}

/**
 * Earliest sensible retry, ms from now, 0 to one day; `undefined` when the provider gave none that makes sense (absent,
 * negative, not a number). Most exact first: `retry-after-ms`, `retry-after` (seconds or date), the words of the message,
 * the reset header of the limit that was hit. Browsers hide most headers, which is why the words count.
 */
export function retryAfterMs(source: RetrySource): number | undefined {
  const { headers } = source
  return (
    milliseconds(headers.get('retry-after-ms'), 1) ??
    milliseconds(headers.get('retry-after'), 1000) ??
    httpDate(headers.get('retry-after'), headers.get('date'), source.nowMs) ??
    durationMs(/(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)/i.exec(source.message)?.[1]) ??
    resetHeader(headers, source.type)
  )
}

/** Go-style durations as the reset headers write them: `2m59.56s`, `7.66s`, `350ms`, `1h2m3s`. */
export function durationMs(text: string | null | undefined): number | undefined {
  if (!text || !/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined
  const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) sum += Number(amount) * unitMs[unit!]!
  return bounded(sum)
}

function milliseconds(text: string | null, unitMs: number): number | undefined {
  return text !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? bounded(Number(text) * unitMs) : undefined
}

/** The server's own `Date` is the better base: it cancels the difference between the two clocks. */
function httpDate(text: string | null, serverDate: string | null, nowMs: number): number | undefined {
  // Date.parse takes numbers such as "-5" for years: a date has a weekday and letters.
  if (text === null || !/^[A-Za-z]{3,9},? /.test(text)) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at)) return undefined
  const base = serverDate === null ? NaN : Date.parse(serverDate)
  return bounded(Math.max(0, at - (Number.isNaN(base) ? nowMs : base)))
}

function resetHeader(headers: HeaderReader, type: string): number | undefined {
  const read = (limit: string) => durationMs(headers.get(`x-ratelimit-reset-${limit}`))
  if (type === 'tokens' || type === 'requests') return read(type)
  const spent = ['tokens', 'requests'].filter((limit) => headers.get(`x-ratelimit-remaining-${limit}`) === '0')
  const waits = spent.map(read).filter((ms) => ms !== undefined)
  return waits.length > 0 ? Math.max(...waits) : undefined
}

/** More digits than a double holds are a very long wait, not none. */
function bounded(ms: number): number | undefined {
  return ms >= 0 ? Math.min(Math.ceil(ms), longestMs) : undefined
}
