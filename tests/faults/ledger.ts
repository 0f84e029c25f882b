/** What a fault server saw and did: the oracle. Nothing here comes from the counters of what is tested. */
import { createHash } from 'node:crypto'

export interface Entry {
  /** From 0, in the order of arrival. */
  readonly order: number
  /** When the request was here whole, ms on the server's clock. */
  readonly at: number
  /** First part of the path: which provider was meant. */
  readonly provider: string
  readonly path: string
  readonly model: string
  /** Read from the prompt; '' when it names none. */
  readonly step: string
  /** How many requests of this step came before. */
  readonly earlier: number
  readonly idempotencyKey: string
  /** Digest of whatever carries a key; '' when nothing did. */
  readonly credential: string
  /** Number of the connection, from 1. */
  readonly connection: number
  /** As the server counts them. */
  readonly promptTokens: number
  readonly maxTokens: number
  /** Text of the last message when it is the assistant's: the answer is to go on from there. */
  readonly prefix: string | undefined
  readonly stream: boolean
  /** All messages, or the body when it is no chat. */
  readonly prompt: string
  /** How the output was constrained: the `response_format` type. */
  readonly format: string
  status: number
  /** Name of the fault that was played. */
  fault: string
  sentBytes: number
  /** Tokens of answer that were put on the wire. */
  sentTokens: number
  /** The work was done, and is billed, whether or not the client ever learned of it. */
  committed: boolean
  /** The client closed before the reply was over. */
  left: boolean
  /** When the reply was over or the client gone. */
  endedAt: number | undefined
  /** Places of the arrival and of the end in the order of everything that the server saw. */
  readonly began: number
  ended: number
}

/** Micro-USD per token. */
export interface Prices {
  readonly in: number
  readonly out: number
}

export function digestOf(secret: string): string {
  return secret === '' ? '' : createHash('sha256').update(secret).digest('hex').slice(0, 16)
}

export class Ledger {
  readonly entries: Entry[] = []

  of(step: string): Entry[] {
    return this.entries.filter((entry) => entry.step === step)
  }

  to(provider: string): Entry[] {
    return this.entries.filter((entry) => entry.provider === provider)
  }

  /** Gaps between the arrivals of a step's requests, ms. */
  gaps(step: string): number[] {
    const times = this.of(step).map(({ at }) => at)
    return times.slice(1).map((at, index) => at - (times[index] ?? 0))
  }

  /** Work that was done, by idempotency key: more than one means paid twice. */
  effects(): Map<string, number> {
    const effects = new Map<string, number>()
    for (const { idempotencyKey, committed } of this.entries) {
      if (committed) effects.set(idempotencyKey, (effects.get(idempotencyKey) ?? 0) + 1)
    }
    return effects
  }

  /** What the provider bills: the prompt and the sent answer of all work that was done. */
  billedMicroUsd(prices: Prices, entries: readonly Entry[] = this.entries): number {
    const billed = entries.filter(({ committed }) => committed)
    return billed.reduce((sum, entry) => sum + entry.promptTokens * prices.in + entry.sentTokens * prices.out, 0)
  }

  /**
   * The fullest window of `lengthMs` anywhere on the clock: the largest sum of `weigh` over entries whose moment lies less
   * than that before another's. Every placement of a window is covered, since a fullest one can be moved to end at an entry.
   */
  fullest(
    lengthMs: number,
    weigh: (entry: Entry) => number,
    moment: (entry: Entry) => number = ({ at }) => at,
    entries: readonly Entry[] = this.entries,
  ): number {
    const sorted = entries.map((entry) => [moment(entry), weigh(entry)] as const).sort(([a], [b]) => a - b)
    let most = 0
    let sum = 0
    let first = 0
    for (const [at, weight] of sorted) {
      sum += weight
      while ((sorted[first]?.[0] ?? at) <= at - lengthMs) sum -= sorted[first++]?.[1] ?? 0
      most = Math.max(most, sum)
    }
    return most
  }

  /** Most requests that were open at one moment, by the order of events: clocks are too coarse for that. */
  mostAtOnce(entries: readonly Entry[] = this.entries): number {
    const moves = entries.flatMap(({ began, ended }) => [
      [began, 1],
      [ended, -1],
    ])
    moves.sort(([a = 0], [b = 0]) => a - b)
    let open = 0
    return moves.reduce((most, [, move = 0]) => Math.max(most, (open += move)), 0)
  }
}
