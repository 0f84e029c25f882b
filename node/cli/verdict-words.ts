/** The verdicts of the cache in words. */
import type { Outcome } from '../../web/standard/cache/outcomes.js'
import { oneLine } from '../../web/standard/format.js'

const words: Readonly<Record<string, string>> = {
  exact: 'the same request',
  clear: 'nothing speaks against it',
  empty: 'nothing is stored that could be compared',
  shadow: 'a hit, left to the model to check on the cache',
  'mode.off': 'the cache is off for it',
  'mode.exact': 'only the same request counts here',
  'below.floor': 'too far apart',
  'exact.fresh': 'belongs to a moment, a person or an act: only the same request counts',
  'exact.window': 'longer than the model reads: only the same request counts',
  'exact.words': 'no words to compare: only the same request counts',
  'veto.language': 'refused: another language',
  'veto.hard': 'refused: numbers, names in code, paths or the like differ',
  'veto.name': 'refused: names or places differ',
  'veto.kind': 'refused: one thing for another of its kind',
  'veto.polarity': 'refused: the opposite is asked',
  'veto.role': 'refused: who does what to whom is exchanged',
  'escalate.language': 'doubtful: in a language whose words are not known',
  'escalate.surplus': 'doubtful: one of them says more',
  'escalate.substitution': 'doubtful: another word in the same place',
  'escalate.qualifier': 'doubtful: one of them is narrower',
  'escalate.change': 'doubtful: quantity, mood or time differ',
}

/** What became of a candidate: outcomes.ts. */
export const outcomeWords: Readonly<Record<Outcome, string>> = {
  served: 'served',
  bar: 'under the bar',
  closed: 'closed',
  vetoed: 'vetoed',
  far: 'too far',
  text: 'same text only',
}

/** `refused: the opposite is asked (enable/disable)`. What has no words stands for itself. */
export function verdictWords(why: string): string {
  const [guard = '', ...rest] = why.split(': ')
  const said = words[guard]
  if (said === undefined) return oneLine(why)
  return rest.length === 0 ? said : `${said} (${oneLine(rest.join(': '))})`
}
