// The input of the plan-reading bench: a plan as planners write them, with real sentences in it, of about the size wanted.
import { randomFrom } from './graph.mjs'

const subjects = [
  'the parser',
  'the checkout page',
  'every caller of `load()`',
  'the café’s price list',
  'src/net/http.ts',
]
const verbs = ['Rewrite', 'Document', 'Split', 'Test', 'Simplify', 'Review']
const ends = [
  'Keep its public interface; "quoted" names stay as they are.',
  'Answer with the whole file.\nNo prose before or after it.',
  'Use {{steps.ID.output}} where it helps.',
  'Mind the edge cases: empty input, one element, and more than 10,000 elements.',
]

export function wordyPlan(bytes, seed = 7) {
  const random = randomFrom(seed)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const types = ['analysis', 'refactoring', 'code_generation', 'documentation', 'testing']
  const encoder = new TextEncoder()
  const pieces = [encoder.encode('{"task_id":"reading","description":"A long plan","steps":[')]
  let size = pieces[0].length
  let steps = 0
  for (; size < bytes; ++steps) {
    const input = () => `module-${Math.floor(random() * steps)}`
    const dependencies = steps < 3 ? [] : [...new Set([input(), input(), input()])]
    const sentences = Array.from({ length: 3 }, () => `${pick(verbs)} ${pick(subjects)}. ${pick(ends)}`)
    const step = {
      id: `module-${steps}`,
      description: sentences
        .join(' ')
        .replaceAll('ID', dependencies[0] ?? '')
        .replaceAll('{{steps..output}}', 'it'),
      type: pick(types),
      complexity: Math.round(random() * 100) / 100,
      estimated_tokens: 200 + Math.floor(random() * 3000),
      dependencies,
      context: { project: 'bench', files: [`src/module-${steps}.ts`], owners: ['a', 'b'] },
      validation_criteria: ['It compiles.', 'All tests pass.'],
      output: 'code',
    }
    pieces.push(encoder.encode((steps === 0 ? '' : ',') + JSON.stringify(step)))
    size += pieces.at(-1).length
  }
  pieces.push(encoder.encode(']}'))
  return { bytes: Buffer.concat(pieces), steps }
}
