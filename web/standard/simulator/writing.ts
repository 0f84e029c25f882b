import { pick } from './random.js'
import { countTokens } from './tokens.js'

const subjects = [
  'The input',
  'Each part',
  'The result',
  'The caller',
  'This design',
  'The first step',
  'A later step',
  'The interface',
]
const verbs = ['keeps', 'checks', 'returns', 'describes', 'limits', 'joins', 'names', 'separates']
const objects = [
  'the data it owns',
  'one decision at a time',
  'its errors by name',
  'the order of the work',
  'what the next step needs',
  'the cases at the edge',
  'a short list of facts',
  'the cost of a change',
]
const endings = [
  'so the behaviour stays predictable',
  'and nothing else depends on it',
  'before any output is written',
  'which a test can show',
  'as the task asks',
  'without hidden state',
]

/** Prose of at most `tokens` tokens that says it is simulated and, with room, names the task. */
export function proseText(random: () => number, task: string, tokens: number): string {
  const opening = tokens < 16 ? 'Simulated.' : `Simulated answer. Task: ${task}.\n`
  return grow(opening, tokens, 0, (index) => {
    const sentence = `${pick(random, subjects)} ${pick(random, verbs)} ${pick(random, objects)}, ${pick(random, endings)}.`
    return index % 5 === 4 ? ` ${sentence}\n` : ` ${sentence}`
  })
}

type Language = 'python' | 'cpp' | 'typescript'
const nouns = ['Order', 'Invoice', 'Reading', 'Window', 'Record', 'Segment', 'Account', 'Route']
const actions = ['total', 'merge', 'select', 'count', 'scale', 'trim']

/** Code without fences, in the language that the prompt names, of at most `tokens` tokens. At least one function. */
export function codeText(random: () => number, task: string, prompt: string, tokens: number): string {
  const language = languageOf(prompt)
  const comment = language === 'python' ? '#' : '//'
  const opening = tokens < 40 ? `${comment} Simulated.` : `${comment} Simulated code. Task: ${task}`
  const write = functionWriters[language]
  return grow(opening, tokens, 1, (index) =>
    write(pick(random, actions), pick(random, nouns), index + 1, 1 + Math.floor(random() * 9)),
  )
}

function languageOf(prompt: string): Language {
  const marks: readonly (readonly [Language, RegExp])[] = [
    ['python', /\bpython\b|\.py\b/i],
    ['cpp', /\bc\+\+|\.(?:cpp|hpp|cc|h)\b/i],
    ['typescript', /\b(?:type|java)script\b|\.[cm]?[tj]sx?\b/i],
  ]
  return marks.find(([, pattern]) => pattern.test(prompt))?.[0] ?? 'typescript'
}

const functionWriters: Readonly<
  Record<Language, (action: string, noun: string, index: number, factor: number) => string>
> = {
  python: (action, noun, index, factor) =>
    `\n\ndef ${action}_${noun.toLowerCase()}_${index}(values: list[int]) -> int:\n    result = 0\n    for value in values:\n        result += value * ${factor}\n    return result`,
  cpp: (action, noun, index, factor) =>
    `\n\nint ${action}${noun}${index}(const std::vector<int>& values) {\n  int result = 0;\n  for (int value : values) result += value * ${factor};\n  return result;\n}`,
  typescript: (action, noun, index, factor) =>
    `\n\nexport function ${action}${noun}${index}(values: readonly number[]): number {\n  let result = 0\n  for (const value of values) result += value * ${factor}\n  return result\n}`,
}

/** Adds parts while they fit, at least `least` of them. Tokens of the parts are added up, which is no less than those of the whole. */
function grow(opening: string, tokens: number, least: number, part: (index: number) => string): string {
  const parts = [opening]
  let used = countTokens(opening)
  for (let index = 0; ; index++) {
    const next = part(index)
    used += countTokens(next)
    if (index >= least && used > tokens) return parts.join('').trimEnd()
    parts.push(next)
  }
}
