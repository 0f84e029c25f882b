/** What Google's error envelope says beyond the others: a status word, and details by type. */
import type { ErrorFacts } from './facts.js'
import { durationMs } from './retry-after.js'

type Detail = Readonly<Record<string, unknown>>

/**
 * The facts of `{code, message, status, details}`, or nothing when it is another envelope. `code` becomes the reason of an
 * `ErrorInfo` (`API_KEY_INVALID`) or the id of the exceeded quota, else stays the HTTP status that it repeats; `type` is the
 * status word.
 *
 *     details: [ ErrorInfo {reason} · QuotaFailure {violations: [{quotaId}]} · RetryInfo {retryDelay: "34.4s"} · … ]
 */
export function googleFacts(error: Detail, message: string): Partial<ErrorFacts> {
  const { status, details } = error
  if (typeof status !== 'string' || !/^[A-Z][A-Z_]+$/.test(status)) return {}
  const all = (Array.isArray(details) ? details : []).filter(isDetail)
  const reason = all.map((detail) => detail['reason']).find((word) => typeof word === 'string')
  const quotas = all.flatMap(quotaIds)
  const daily = quotas.find((id) => /PerDay/i.test(id))
  const delay = all.map((detail) => detail['retryDelay']).find((word) => typeof word === 'string')
  const waitMs = typeof delay === 'string' ? durationMs(delay) : undefined
  const code = daily ?? (typeof reason === 'string' ? reason : quotas[0])
  return {
    type: status,
    ...(code !== undefined && { code }),
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
    // 402: the credits that were paid in advance are used up. A limit of 0: the account may not use the model at all.
    ...((daily !== undefined || error['code'] === 402 || /\blimit: 0\b/.test(message)) && { exhausted: true }),
  }
}

function quotaIds(detail: Detail): readonly string[] {
  const { violations } = detail
  if (!Array.isArray(violations)) return []
  return violations
    .filter(isDetail)
    .map(({ quotaId }) => quotaId)
    .filter((id) => typeof id === 'string')
}

function isDetail(value: unknown): value is Detail {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
