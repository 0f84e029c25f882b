/** What the runs of a process have measured of models: a run that begins plans with it instead of the table's guesses. */

/** A call that was answered. */
export interface MeasuredCall {
  /** Tokens of its prompt, as the core estimated them and as the provider counted them; 0: not known. */
  readonly estimatedTokens: number
  readonly promptTokens: number
  /** From its start to its first token, ms; absent: the answer came whole. */
  readonly firstTokenMs?: number
  /** What came after that: tokens, hidden thought included, and ms. */
  readonly outputTokens: number
  readonly streamedMs: number
}

/** Members of a model in the table. Absent: too few calls have told. */
export interface MeasuredModel {
  /** Prompt tokens as the provider counts them, for each that the core estimates. */
  readonly tokenFactor?: number
  readonly firstTokenMs?: number
  readonly tokensPerSecond?: number
}

/** So few calls say nothing yet. */
const fewest = 5
/** A plain mean over the first, then an average that forgets: providers are faster at night. */
const remembered = 16
/** Answers that are shorter or came faster tell of the network, not of the model. */
const fewestTokens = 16
const fewestMs = 50

class Average {
  #count = 0
  #mean = 0

  learn(value: number): void {
    this.#count = Math.min(this.#count + 1, remembered)
    this.#mean += (value - this.#mean) / this.#count
  }

  within(least: number, most: number, decimals: number): number | undefined {
    const scale = 10 ** decimals
    const rounded = Math.round(this.#mean * scale) / scale
    return this.#count < fewest ? undefined : Math.min(most, Math.max(least, rounded))
  }
}

interface Averages {
  readonly factor: Average
  readonly first: Average
  readonly speed: Average
}

export class Measured {
  readonly #models = new Map<string, Averages>()

  learn(key: string, call: MeasuredCall): void {
    const { estimatedTokens, promptTokens, firstTokenMs, outputTokens, streamedMs } = call
    const known = this.#models.get(key) ?? { factor: new Average(), first: new Average(), speed: new Average() }
    this.#models.set(key, known)
    // What a provider adds to each message would be most of a short prompt, and would count as many times in a long one.
    if (estimatedTokens >= fewestTokens && promptTokens > 0) known.factor.learn(promptTokens / estimatedTokens)
    const long = outputTokens >= fewestTokens
    // All of it at once: an answer that came whole.
    if (firstTokenMs === undefined || (long && streamedMs < fewestMs)) return
    known.first.learn(firstTokenMs)
    if (long) known.speed.learn((outputTokens * 1000) / streamedMs)
  }

  /** Undefined: nothing is known of the model. Bounds are those of the core. */
  of(key: string): MeasuredModel | undefined {
    const known = this.#models.get(key)
    if (known === undefined) return undefined
    const tokenFactor = known.factor.within(0.5, 3, 3)
    const firstTokenMs = known.first.within(0, 1e7, 0)
    const tokensPerSecond = known.speed.within(1, 1e6, 1)
    const measured = {
      ...(tokenFactor === undefined ? {} : { tokenFactor }),
      ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
      ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    }
    return Object.keys(measured).length === 0 ? undefined : measured
  }
}
