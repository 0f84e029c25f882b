/** What a provider keeps of prompts, and when it is a hit. */
export type CacheRule =
  | {
      /** A prompt is kept in blocks from its start; the leading blocks that are known are the hit. */
      readonly kind: 'blocks'
      /** Tokens of a block. */
      readonly block: number
      /** Fewest tokens of a hit, and of a prompt that is kept; `Infinity`: this model has no cache. */
      minimum(model: string): number
      /** Life without use, simulated ms. */
      readonly idleMs: number | ((model: string) => number)
      /** Nothing is kept without a `prompt_cache_key`. */
      readonly keyOnly?: true
      /** Requests of one key and first 256 tokens that a machine takes in 60 simulated seconds; more go to another, with a cache of its own. */
      readonly perMinute?: number
      /** Whether this model's usage tells what was written, at a price of its own. */
      tellsWrites?(model: string): boolean
    }
  | {
      /** Prefixes are kept as whole units; a hit needs one of them completely. */
      readonly kind: 'units'
      /** Hits are counted in steps of this many tokens, downwards. */
      readonly step: number
      /** A unit is also kept every so many tokens of a long prompt. */
      readonly interval: number
    }
