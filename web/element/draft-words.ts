/** What became of a step's draft, as pages say it. */

/** `shown`: what is seen of the step is a draft that nobody has verified. `replaced`: a full answer took its place. */
export type DraftState = 'shown' | 'confirmed' | 'patched' | 'replaced'

export const draftWords: Readonly<Record<DraftState, string>> = {
  shown: 'draft, not confirmed',
  confirmed: 'draft confirmed',
  patched: 'draft confirmed, changed a little',
  replaced: 'draft replaced by a full answer',
}
