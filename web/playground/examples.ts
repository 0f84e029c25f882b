/** The plans that can be picked: those of the project's examples, and those that are made here. */
import { askedOf } from '../standard/analysis/request.js'
import { consensus, debate } from '../standard/patterns/index.js'
import { countTokens } from '../standard/simulator/tokens.js'

export interface Example {
  readonly id: string
  readonly title: string
  /** One line on what it shows. */
  readonly shows: string
  readonly mode?: string
  readonly load: () => Promise<string>
}

const folder = new URL('./examples/', import.meta.url)

async function fetched(name: string): Promise<string> {
  const reply = await fetch(new URL(name, folder))
  if (!reply.ok) throw new Error(`${name}: the server answered ${reply.status}`)
  return reply.text()
}

const file = (id: string, title: string, shows: string, mode?: string): Example => ({
  id,
  title,
  shows,
  ...(mode === undefined ? {} : { mode }),
  load: () => fetched(`${id}.json`),
})

export const examples: readonly Example[] = [
  file('diamond', 'Diamond', 'the smallest graph with a fork and a join'),
  file('five-files', 'Five files', 'five independent files, and a summary that waits for them'),
  file('code-base', 'Code base', '23 steps: reviews, fixed code, tests and documents'),
  file('review', 'Double-check', 'each result is audited by a second model', 'double-check'),
  file('polite', 'Polite words', 'what stripping takes out of a prompt'),
  file('mission', 'Mission', '150 s of work that must not take 150 s'),
  {
    id: 'thousand',
    title: 'A thousand steps',
    shows: 'a plan of 1,000 steps in 25 stages',
    load: () => Promise.resolve(thousandSteps()),
  },
  file('spread', 'Spreading', 'a step for each of what another answers, a vote, and a condition'),
  {
    id: 'debate',
    title: 'Debate',
    shows: 'two speakers at once, then in turn, and a judge who has heard all',
    load: () => Promise.resolve(planText(debate({ topic: question }))),
  },
  {
    id: 'consensus',
    title: 'Consensus',
    shows: 'two models first; what they agree on is not debated',
    load: () => Promise.resolve(planText(consensus({ topic: question, models: ['gemini', 'deepseek'] }))),
  },
  {
    id: 'analysis',
    title: 'Analysis of a conversation',
    shows: 'JSON by a schema from a quick model',
    mode: 'analysis-fast',
    load: () => Promise.resolve(planText(analysisOf())),
  },
]

const question = 'Should a small team split its program into services?'

const planText = (plan: object): string => `${JSON.stringify(plan, null, 2)}\n`

/** What `analyze` asks of a model. */
function analysisOf(): object {
  const schema = {
    type: 'object',
    properties: { topics: { type: 'array', items: { type: 'string' } }, mood: { enum: ['good', 'mixed', 'bad'] } },
    required: ['topics', 'mood'],
  }
  const history = [
    { role: 'user', content: 'The build is green again, after three days.' },
    { role: 'assistant', content: 'What was it?' },
    { role: 'user', content: 'The clock of the machine was wrong. I want an alert for that.' },
  ]
  const parts = { digest: () => '', estimate: countTokens, route: '' }
  return askedOf({ session: 'example', history, schema }, parts).plan().plan
}

/** Files that the example plans name, below the examples' folder. */
const contextFiles = ['cart.ts', 'csv.ts', 'retry.ts', 'dates.ts', 'access-log.ts'].map((name) => `files/${name}`)

/** A context file of an example, or one that the visitor has added. Rejects for any other. */
export async function contextFile(path: string, added: ReadonlyMap<string, string>): Promise<string> {
  const own = added.get(path)
  if (own !== undefined) return own
  if (!contextFiles.includes(path))
    throw new Error(`${path}: the playground has no such file; add it under Keys and files`)
  return fetched(path)
}

const types = ['analysis', 'refactoring', 'code_generation', 'testing', 'documentation', 'brainstorming', 'prototyping']

/** 25 stages of 40 steps; each step needs two of the stage before it. The same text every time. */
export function thousandSteps(count = 1000, wide = 40): string {
  const steps: unknown[] = []
  for (let index = 0; index < count; index += 1) {
    const stage = Math.floor(index / wide)
    const place = index % wide
    const id = (ofStage: number, at: number): string => `s${ofStage + 1}-${((at + wide) % wide) + 1}`
    const dependencies = stage === 0 ? [] : [id(stage - 1, place), id(stage - 1, place + (stage % 3 === 0 ? 7 : 1))]
    steps.push({
      id: id(stage, place),
      type: types[(index * 5 + stage) % types.length],
      description: `Part ${place + 1} of stage ${stage + 1}.`,
      complexity: ((index * 37) % 100) / 100,
      estimated_tokens: 60 + ((index * 53) % 240),
      dependencies,
    })
  }
  const plan = {
    task_id: 'thousand',
    description: 'A thousand small steps in stages, to see how a large plan runs.',
    steps,
  }
  return `${JSON.stringify(plan, null, 2)}\n`
}
