/** What became of a candidate, whichever guard spoke: its reason alone does not say whether a lower bar would have served it. */

/**
 * `served`; `bar`: no guard refuses it, it is not sure enough; `closed`: no certainty would do here, a judge might say yes;
 * `vetoed`: it asks something else; `far`: below the least cosine; `text`: only the same text counts.
 */
export const outcomes = ['served', 'bar', 'closed', 'vetoed', 'far', 'text'] as const
export type Outcome = (typeof outcomes)[number]

export function outcomeOf({
  served,
  why,
  closed,
}: {
  readonly served: boolean
  readonly why: string
  readonly closed: boolean
}): Outcome {
  if (served) return 'served'
  if (why.startsWith('veto.')) return 'vetoed'
  if (why === 'below.floor') return 'far'
  if (why === 'clear' || why.startsWith('escalate.')) return closed ? 'closed' : 'bar'
  return 'text'
}
