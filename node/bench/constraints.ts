/** `aetherflow bench constraints`: the same plan with output constraints and without, and how many answers a program can use as they are. */
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { formatShare } from '../../web/standard/format.js'
import { pairsRemark, pairsTable, playPairs, sheetMetrics, type SheetMetric } from './arms-sheet.js'
import type { PlayedResult, PlayedRun } from './played-run.js'
import type { Sheet } from './sheet.js'

const schema = {
  type: 'object',
  properties: { title: { type: 'string' }, risk: { type: 'number' } },
  required: ['title', 'risk'],
}
const builtIn = JSON.stringify({
  task_id: 'constraints',
  description: 'Answers that programs read',
  steps: [
    step('risks', 'analysis', 'Name the greatest risk of the release and rate it from 0 to 1', schema),
    step('limits', 'analysis', 'List the limits of the service by name', 'json'),
    step('parser', 'code_generation', 'Write a parser of key=value lines', 'code'),
    step('queue', 'code_generation', 'Write a bounded queue', 'code'),
  ],
})

function step(id: string, type: string, description: string, output: unknown): object {
  return { id, type, description, complexity: 0.4, estimated_tokens: 250, output }
}

interface LooseStep extends Record<string, unknown> {
  readonly output?: unknown
  readonly id?: unknown
}

/** Steps whose answers a program reads: `json`, a schema, `code`. */
function formsOf(plan: string): Map<string, 'json' | 'code'> {
  const { steps = [] } = JSON.parse(plan) as { steps?: LooseStep[] }
  const forms = new Map<string, 'json' | 'code'>()
  for (const { id, output } of steps) {
    if (typeof id !== 'string') continue
    if (output === 'code') forms.set(id, 'code')
    else if (output === 'json' || typeof output === 'object') forms.set(id, 'json')
  }
  return forms
}

function withoutConstraints(run: PlayedRun): PlayedRun {
  const plan = JSON.parse(run.plan) as { steps?: LooseStep[] }
  const steps = (plan.steps ?? []).map(({ output: _output, ...rest }) => rest)
  return { ...run, plan: JSON.stringify({ ...plan, steps }) }
}

/** As it came: no fence around it, no sentence before it. */
function usable(text: string, form: 'json' | 'code'): boolean {
  if (form === 'code') return !/^\s*```/m.test(text) && !/^\s*[A-Z][a-z]+ [a-z]+ [a-z]+[^(){};=]*[.:]\s*$/m.test(text)
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export async function benchConstraints(setting: BenchSetting): Promise<Sheet> {
  const forms = formsOf(setting.own?.plan ?? builtIn)
  const share: SheetMetric = {
    ...{ name: 'usable', words: 'answers that a program can use as they are', format: formatShare },
    of: ({ outputs }: PlayedResult) =>
      forms.size === 0 ? 0 : [...forms].filter(([id, form]) => usable(outputs.get(id) ?? '', form)).length / forms.size,
  }
  const pairs = await playPairs(setting, builtIn, [
    { name: 'free', run: withoutConstraints },
    { name: 'constrained', run: (run) => run },
  ])
  const { prompts, answers, cost, time } = sheetMetrics
  const title = setting.own?.name ?? 'Two answers as JSON, two as code'
  const { table, figures } = pairsTable(title, ['free', 'constrained'], pairs, [share, prompts, answers, cost, time])
  return {
    name: 'constraints',
    title: 'A plan with its output constraints and without them, the same seeds',
    simulated: setting.profile.name,
    tables: [table],
    remarks: [
      pairsRemark(setting.seeds.length),
      ...(forms.size === 0 ? ['No step of the plan has an output constraint for programs: json, a schema, code.'] : []),
      'The simulator writes what it is asked for; how often a model does, only a run with a key tells.',
    ],
    figures,
  }
}
