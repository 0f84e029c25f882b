/** The choice of a model among what was found: from a list, and nothing that is not on it. */
import type { Excerpt, IndexCore, SectionHit } from '../../../bindings/index/core.js'
import type { DocsOptions, PickEntry, Retrieved } from './options.js'

const listed = 20
const firstWords = 30
/** The first place is ahead by this share of its score: asking a model would not change it. */
const clearMargin = 0.35

export interface Picked {
  readonly pick?: Retrieved['pick']
  excerpts(tokens: number): Excerpt[]
}

/** Without `pick`, with a clear first place, and when the model fails or takes nothing: as ranked. */
export async function pickSections(
  core: IndexCore,
  question: string,
  hits: readonly SectionHit[],
  texts: ReadonlyMap<string, Uint8Array>,
  pick: DocsOptions['pick'],
): Promise<Picked> {
  const ranked: Picked = { excerpts: (tokens) => core.excerpts(tokens) }
  const [best, second] = hits
  const clear = best === undefined || second === undefined || (best.score - second.score) / best.score >= clearMargin
  if (pick === undefined || clear) return ranked
  const list = hits.slice(0, listed).map((hit, at): PickEntry & { hit: SectionHit } => {
    const bytes = texts.get(hit.path)?.subarray(hit.from, hit.to) ?? new Uint8Array()
    const start = new TextDecoder().decode(bytes).split(/\s+/).filter(Boolean).slice(0, firstWords).join(' ')
    return { id: `s${at + 1}`, reference: hit.reference, start, hit }
  })
  const told = await pick(
    question,
    list.map(({ id, reference, start }) => ({ id, reference, start })),
  ).catch(() => [])
  const chosen = told.flatMap((id) => list.find((entry) => entry.id === id)?.hit ?? [])
  const taken = [...new Set(chosen)]
  const unknown = told.length - chosen.length
  if (taken.length === 0) return { ...ranked, pick: { taken: 0, unknown } }
  return { pick: { taken: taken.length, unknown }, excerpts: (tokens) => wholeFirst(taken, tokens) }
}

/** In the model's order, whole where it fits, else cut to what is left. */
function wholeFirst(sections: readonly SectionHit[], tokens: number): Excerpt[] {
  let left = tokens
  return sections.flatMap((section): Excerpt[] => {
    const take = Math.min(section.tokens, left)
    if (take < Math.min(section.tokens, 60)) return []
    left -= take
    return [{ section, whole: take === section.tokens, take }]
  })
}
