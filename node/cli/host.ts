/** What a command may touch of its process: handed over by main.ts, replaced in tests. */
import type { Clock } from '../../bindings/ports.js'

/** A stream that a command writes to. `columns` and `rows`: of a terminal, else undefined. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on?(event: 'resize', listener: () => void): unknown
  off?(event: 'resize', listener: () => void): unknown
}

export interface Host {
  readonly stdin: AsyncIterable<Uint8Array> & { destroy?(): unknown }
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Path that the program was called by; absent: as `aetherflow`. */
  readonly program?: string
  /** Aborted by the first SIGINT or SIGTERM, and when nobody reads the output any more. */
  readonly signal: AbortSignal
}

/** Exit codes; stable. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
