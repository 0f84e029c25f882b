/** What goes between the thread of the program and the thread that runs a model. */

/** Modules of one runtime, in the order in which they are tried. */
export interface RuntimeCandidate {
  readonly name: string
  /** file: address of its main module. */
  readonly module: string
}

export interface RuntimeStart {
  readonly candidates: readonly RuntimeCandidate[]
  readonly threads: number
}

export interface WorkerStart extends RuntimeStart {
  /** Int32Array of [busy, stopping]: native code must not be in progress when its thread is ended, see `WorkerSession`. */
  readonly state: SharedArrayBuffer
}

/** Answered by an `Answer` of the same id; calls are carried out in their order. */
export type Call =
  | { readonly id: number; readonly kind: 'open'; readonly model: Uint8Array }
  | { readonly id: number; readonly kind: 'run'; readonly ids: Int32Array }

export type Answer =
  | { readonly id: number; readonly kind: 'opened'; readonly runtime: string }
  | { readonly id: number; readonly kind: 'states'; readonly states: Float32Array; readonly dimensions: number }
  | {
      readonly id: number
      readonly kind: 'failed'
      readonly code: 'cache.model' | 'cache.runtime'
      readonly detail: string
    }

/** Places in `state`. */
export const busyAt = 0
export const stoppingAt = 1
