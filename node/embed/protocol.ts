/** What goes between the thread of the program and the thread that runs a model. */

/** Modules of one runtime, in the order in which they are tried. */
export interface RuntimeCandidate {
  readonly name: string
  /** file: address of its main module. */
  readonly module: string
}

export interface WorkerStart {
  readonly candidates: readonly RuntimeCandidate[]
  readonly threads: number
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
