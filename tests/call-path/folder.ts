/**
 * Cases of a folder outside the project. What is right of one is in its `case.json` as `right` (see `Right` in shapes.ts), else by
 * its name here: `expected` is for people.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallPathCase } from './player.js'
import type { OwnCase, Right } from './shapes.js'

const fromBeta: Right = { requests: { alpha: 1, beta: 1 }, output: 'from beta' }
const hello: Right = { requests: { alpha: 1 }, output: 'hello' }
const failsWith = (failure: string, words: string, alpha = 1): Right => ({ requests: { alpha }, failure, words })

/** The first that matches the name counts. */
const byName: readonly (readonly [RegExp, Right])[] = [
  [/^02b/, { requests: { alpha: 1 }, output: 'from alpha' }],
  [/^02c/, failsWith('quota_exhausted', 'You exceeded your current quota')],
  [/^03[ab]/, { requests: { groq: 2 }, output: 'hello' }],
  [/^03c/, { requests: { groq: 2 }, output: '{"a":1}', widens: true }],
  [/^04/, { requests: { openai: 1, beta: 1 }, output: 'from beta' }],
  [/^(?:05|12b|31[a-l]|41)/, fromBeta],
  [/^07[ab]/, { requests: { alpha: 1 }, output: 'from alpha' }],
  [/^(?:02a|06|07c|14[a-f]|39a)/, hello],
  [/^08a/, { costMicroUsd: 1226 }],
  [/^08b/, { costMicroUsd: 141 }],
  [/^08c/, { estimated: true, outputTokens: 5 }],
  [/^08e/, { costMicroUsd: 1831 }],
  [/^08h/, { requests: { alpha: 1 }, outcome: 'budget_exhausted', estimated: true, outputTokens: 1000 }],
  [/^08i/, { requests: { alpha: 1 }, outcome: 'budget_exhausted', costMicroUsd: 4060 }],
  [/^10[ab]/, { widens: true, output: 'from beta' }],
  [/^10c/, { requests: { alpha: 2 }, widens: true, output: 'whole' }],
  [/^10d/, { widens: true, failure: 'limit_reached' }],
  [/^11/, { requests: { openai: 2, beta: 1 }, output: 'from beta' }],
  [/^12a/, failsWith('bad_request', 'at most 1 image per prompt')],
  [/^13a/, { requests: { alpha: 1 }, output: '{"a":1}' }],
  [/^13b/, { requests: { alpha: 1 }, output: 'Hello reader.' }],
  [/^13c/, { requests: { alpha: 1 }, output: 'console.log(1)\n' }],
  [/^13e/, { requests: { alpha: 1 }, output: '[{"claim_text":"x"}]' }],
  [/^14g/, { requests: { alpha: 2, beta: 1 }, output: 'from beta' }],
  [/^14h/, fromBeta],
  [/^(?:15a|17)/, { requests: { gemini: 1, beta: 1 }, output: 'from beta' }],
  [/^18/, { requests: { alpha: 2 }, outputs: { a: 'hello', b: 'hello' } }],
  [/^19[a-g]/, fromBeta],
  [/^19[m-r]/, { requests: { gemini: 1, beta: 1 }, output: 'from beta' }],
  [/^19s/, { requests: { gemini: 1 }, output: 'Hello there' }],
  [/^19t/, { requests: { gemini: 1 }, output: 'Hello' }],
  [/^19u/, { requests: { alpha: 3 }, outputs: { a: 'summed up', b: 'summed up' } }],
  [/^20/, { requests: { alpha: 1 }, output: 'Hi 😀!' }],
  [/^21-/, { requests: { openai: 2 }, output: '{"hero":{"t":"x"}}' }],
  // Its server forgets what it has refused: after the second word of the kind each step has gone on somehow.
  [/^21b/, { outputs: Object.fromEntries(['a', 'b', 'c'].map((id) => [id, '{"hero":{"t":"x"}}'])) }],
  [/^22/, { requests: { alpha: 2, beta: 1 }, output: 'from beta' }],
  [/^24/, { requests: { alpha: 3 }, outputs: { a: 'hello', b: 'bye' }, costMicroUsd: 140 }],
  [/^25/, { requests: { alpha: 1 }, output: 'from alpha' }],
  [/^27/, { requests: { deepseek: 3, beta: 1 }, output: '{"a":1}' }],
  [/^28a/, failsWith('server_error', 'The quota is gone')],
  [/^28b/, failsWith('rate_limited', 'Rate limit reached')],
  [/^28[cd]/, { failure: 'overloaded', words: 'verloaded' }],
  [/^31m/, { requests: { alpha: 1, beta: 4 } }],
  [/^32/, { requests: { alpha: 2 }, output: 'hello' }],
  [/^33/, { requests: { alpha: 1 }, output: 'hello', estimated: true, outputTokens: 1000 }],
  [/^34/, failsWith('generation_failed', 'all of the answer came as reasoning', 2)],
  [/^37/, { requests: {}, failure: 'unresolved' }],
  [/^39b/, { requests: { groq: 1, beta: 1 }, output: '{"a":1}' }],
  [/^40a/, { requests: { gemini: 2 }, output: 'hello' }],
  [/^40b/, { requests: { groq: 2 }, output: 'hello' }],
]

/** The cases in the folder; `right` is undefined of those that nothing is known of. */
export function casesIn(folder: string): readonly (Omit<OwnCase, 'right'> & { readonly right: Right | undefined })[] {
  const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'case.json')))
  return names.map((name) => {
    const one = JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as CallPathCase & { right?: Right }
    return { ...one, name, right: one.right ?? byName.find(([pattern]) => pattern.test(name))?.[1] }
  })
}
