/** What a look-up would do and why, candidate by candidate. */
import type { CacheCore } from '../../../bindings/cache/core.js'
import type { CacheScope } from '../../../bindings/cache/ports.js'
import type { Entries } from './entries.js'
import type { Vectorized } from './texts-to-vectors.js'
import type { CacheExplanation, ExplainedCandidate } from './options.js'

export interface ExplainParts {
  readonly core: CacheCore
  readonly entries: Entries
  readonly decision: Parameters<CacheCore['decide']>[2]
  readonly candidates: number
  vectorize(prompt: string): Promise<Vectorized>
  spaceOf(scope: string): string
}

export async function explainLookUp(
  prompt: string,
  scope: CacheScope | undefined,
  { core, entries, decision, candidates: count, vectorize, spaceOf }: ExplainParts,
): Promise<CacheExplanation> {
  const scopes = scope === undefined ? [...new Set(entries.heads().map((head) => head.scope))] : [core.scopeKey(scope)]
  const exact = scopes.flatMap((one) => {
    const id = entries.find(core.requestKey(one, prompt))
    return id < 0 ? [] : [entries.head(id)].filter((head) => head !== undefined)
  })
  const { exactOnly } = core.decide(prompt, [], decision)
  if (exactOnly !== '') return { exactOnly, exact, candidates: [] }
  const vectorized = await vectorize(prompt)
  if (vectorized.vector === undefined) return { exactOnly: vectorized.why, exact, candidates: [] }
  const candidates: ExplainedCandidate[] = []
  for (const one of scopes) {
    const near = await entries.candidates(spaceOf(one), vectorized.vector, count, -1)
    for (const { id, ...judged } of core.decide(prompt, near, decision).judged) {
      const entry = near.find((candidate) => candidate.id === id)?.entry
      if (entry === undefined) continue
      const { key, label, createdAt } = entry
      candidates.push({ ...judged, key, label, createdAt, prompt: entry.prompt, answer: entry.answer })
    }
  }
  candidates.sort((a, b) => Number(b.hit) - Number(a.hit) || b.score - a.score)
  return { exactOnly: '', exact, candidates }
}
