/** What is known of drafts by pair of models: kept between runs, judged by the core's sequential tests (core/limit/draft_book.hpp). */
import type { DraftBookHandle, LimitsModule } from '../../../bindings/module.js'
import { promptVersion } from './desk.js'
import { stepTypes, type DraftOutcome, type DraftPair, type DraftPairs, type DraftPairState } from './pairs.js'

/** In the order of DraftField, core/limit/draft_book.hpp. */
const fields = [
  'drafted',
  'accepted',
  'patched',
  'audited',
  'regrets',
  'acceptTest',
  'regretTest',
  'off',
  'probeIn',
  'switched',
] as const
type Field = (typeof fields)[number]

/** In the order of DraftOutcome there. */
const outcomes: readonly DraftOutcome[] = ['accepted', 'patched', 'rejected', 'agrees', 'regrets', 'refused']

/** A pair as it is kept. `off`: 0 on, 1 too few accepted, 2 too many regretted; tests in millionths. */
export type KeptPair = DraftPair & Readonly<Record<Field, number>>

/** The file: pairs of one version of the prompts, since other words get other verdicts. */
export interface KeptPairs {
  readonly version: 1
  readonly prompts: number
  readonly pairs: readonly KeptPair[]
}

const keyOf = ({ type, draft, verifier }: DraftPair): string => JSON.stringify([type, draft, verifier])

/** Pairs that a file may hold: a run knows few models. */
const mostPairs = 2000

export class DraftBook implements DraftPairs {
  readonly #book: DraftBookHandle
  readonly #records = new Map<string, { readonly pair: DraftPair; readonly record: number }>()
  readonly #touched = new Set<string>()

  /** `kept`: what `toJSON` gave, from wherever it was; anything else is nothing known. */
  constructor(module: LimitsModule, kept?: unknown) {
    this.#book = new module.DraftBook()
    for (const pair of pairsOf(kept)) {
      const record = this.#record(pair)
      fields.forEach((field, index) => this.#book.set(record, index, Math.trunc(Number(pair[field] ?? 0)) || 0))
    }
  }

  known(): readonly DraftPairState[] {
    return [...this.#records.values()].map(({ pair, record }) => this.#state(pair, record))
  }

  told(pair: DraftPair, outcome: DraftOutcome): DraftPairState {
    const record = this.#record(pair)
    this.#touched.add(keyOf(pair))
    this.#book.tell(record, outcomes.indexOf(outcome))
    return this.#state(pair, record)
  }

  /** What is known now. `beside`: what is in the file meanwhile; pairs that this book has not heard of are taken from there. */
  toJSON(beside?: unknown): KeptPairs {
    const pairs = new Map(pairsOf(beside).map((pair) => [keyOf(pair), pair]))
    for (const [key, { pair, record }] of this.#records) {
      if (pairs.has(key) && !this.#touched.has(key)) continue
      const numbers = fields.map((field, index) => [field, this.#book.get(record, index)])
      pairs.set(key, { ...pair, ...(Object.fromEntries(numbers) as Record<Field, number>) })
    }
    return { version: 1, prompts: promptVersion, pairs: [...pairs.values()] }
  }

  get changed(): boolean {
    return this.#touched.size > 0
  }

  #record({ type, draft, verifier }: DraftPair): number {
    const pair = { type, draft, verifier }
    const known = this.#records.get(keyOf(pair))
    if (known !== undefined) return known.record
    const record = this.#book.add()
    this.#records.set(keyOf(pair), { pair, record })
    return record
  }

  #state(pair: DraftPair, record: number): DraftPairState {
    const get = (field: Field): number => this.#book.get(record, fields.indexOf(field))
    const { type, draft, verifier } = pair
    return {
      ...{ type, draft, verifier },
      probeIn: get('probeIn'),
      drafted: get('drafted'),
      accepted: get('accepted'),
      audited: get('audited'),
    }
  }
}

/** The pairs of a file that somebody may have written by hand; of other prompts nothing is known. */
export function pairsOf(kept: unknown): KeptPair[] {
  const { version, prompts, pairs } = (kept ?? {}) as Partial<Record<keyof KeptPairs, unknown>>
  if (version !== 1 || prompts !== promptVersion || !Array.isArray(pairs)) return []
  return (pairs as unknown[]).slice(0, mostPairs).filter(isPair)
}

function isPair(value: unknown): value is KeptPair {
  if (typeof value !== 'object' || value === null) return false
  const { type, draft, verifier } = value as Partial<Record<keyof DraftPair, unknown>>
  const names = [draft, verifier].every((name) => typeof name === 'string' && name.length <= 300 && name.includes('/'))
  return names && (stepTypes as readonly unknown[]).includes(type)
}
