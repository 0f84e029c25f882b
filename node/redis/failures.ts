/** What kinds of failure say to limits: the rows of core/route/policy.hpp that the limits of one process read there. */
import type { FailureKind } from '../../bindings/generated/wire.js'

const unwell: ReadonlySet<FailureKind> = new Set<FailureKind>([
  ...(['overloaded', 'server_error', 'timeout_connect', 'timeout_first_token', 'timeout_idle'] as const),
  ...(['timeout_total', 'truncated', 'malformed', 'unreachable', 'unresolved'] as const),
])
const final: ReadonlySet<FailureKind> = new Set<FailureKind>([
  ...(['auth', 'bad_request', 'cancelled', 'input', 'withheld', 'deadline', 'budget_exceeded'] as const),
  ...(['host', 'refused', 'check_failed'] as const),
])

/** It counts against the provider's health. */
export const isUnwell = (kind: FailureKind): boolean => unwell.has(kind)
/** Neither the same model nor another may do better: a wait that comes with it means nothing. */
export const isFinal = (kind: FailureKind): boolean => final.has(kind)
