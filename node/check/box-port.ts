/** What a box is asked and answers; types, and the limits that hold unless others are said. */
import type { Program } from './programs.js'

/** In the order in which they are taken. */
export const boxKinds = ['unshare', 'bubblewrap', 'node'] as const
export type BoxKind = (typeof boxKinds)[number]

export interface BoxLimits {
  /** Longest time, ms. */
  readonly timeMs: number
  /** Bytes of memory: of each process (data), and of all together. */
  readonly memoryBytes: number
  /** Most processes at once. */
  readonly processes: number
  /** Most bytes of output; the last 64 KB are kept. */
  readonly outputBytes: number
  /** Most bytes of all files that are written. */
  readonly fileBytes: number
}

export const defaultLimits: BoxLimits = {
  timeMs: 60_000,
  memoryBytes: 1 << 30,
  processes: 64,
  outputBytes: 16 << 20,
  fileBytes: 256 << 20,
}

export interface BoxFile {
  /** Below the box's working folder, with `/`. */
  readonly path: string
  readonly text: string | Uint8Array
  readonly executable?: boolean
}

export interface BoxJob {
  readonly files: readonly BoxFile[]
  /** The program, by name or path, and its arguments. No shell reads them. */
  readonly command: readonly string[]
  readonly limits?: Partial<BoxLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Why a program was stopped. */
export type Stopped = 'time' | 'memory' | 'processes' | 'output' | 'cancelled'

export interface BoxResult {
  /** Exit code; 128 + signal where a signal ended it; undefined: it was stopped. */
  readonly exit: number | undefined
  readonly stopped: Stopped | undefined
  /** The end of what it wrote, errors included, at most 64 KB. */
  readonly output: string
  readonly outputBytes: number
  readonly ms: number
}

export interface Box {
  readonly kind: BoxKind
  /** For reports: `unshare (own namespaces, no network)`. */
  readonly words: string
  /** What it does not keep out. */
  readonly cannot: readonly string[]
  /** Never rejects for what the program does. Fails: check.not_allowed for a program that is not there or cannot run in it, host.io_failed. */
  run(job: BoxJob): Promise<BoxResult>
}

/** How a kind of box starts a program. */
export interface BoxWay {
  readonly kind: BoxKind
  readonly words: string
  readonly cannot: readonly string[]
  /**
   * Program and arguments on this machine; `base`: the job's own folder, with the copy in `stage`. `user`: the number of a user that
   * root becomes before the program begins; undefined: the program stays the user who starts it. Fails: check.not_allowed.
   */
  start(
    base: string,
    program: Program,
    args: readonly string[],
    limits: BoxLimits,
    user: number | undefined,
  ): Promise<readonly string[]>
}
