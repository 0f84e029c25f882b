/** What the patterns are put together from. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { Step } from '../../../bindings/plan.js'
import type { UntilRule } from '../../../bindings/until.js'
import type { PatternPlan, PatternSettings, PatternShape, Turn } from './types.js'

export const usage = (where: string, detail: string): AetherflowError =>
  new AetherflowError('host.usage', where, detail)

/** Braces of a caller are no template. */
export const escaped = (text: string): string => text.replaceAll('{{', "{{'{{'}}")
export const outputOf = (step: string): string => `{{steps.${step}.output}}`

/** Fails: host.usage. */
export function whole(value: number, where: string, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw usage(where, `a whole number from ${least} to ${most}`)
  return value
}

export function topicOf({ topic }: PatternSettings): string {
  if (typeof topic !== 'string' || topic.trim() === '') throw usage('topic', 'say what is asked')
  return escaped(topic.trim())
}

const defaultTokens = 300

/** A step of a pattern with what all of them have in common. */
export function stepOf(
  settings: PatternSettings,
  step: Pick<Step, 'id' | 'description'> & Partial<Step>,
  model: string | undefined,
): Step {
  const { type = 'analysis', answerTokens = defaultTokens } = settings
  return {
    type,
    complexity: 0.5,
    estimated_tokens: answerTokens,
    // Another answer to the same question is wanted each time.
    cache: 'off',
    ...(model === undefined ? {} : { provider: model }),
    ...step,
  }
}

export const modelOf = ({ models = [] }: PatternSettings, at: number): string | undefined =>
  models.length === 0 ? undefined : models[at % models.length]

export function planOf(shape: PatternShape, steps: readonly Step[], until: readonly UntilRule[]): PatternPlan {
  return {
    task_id: shape.kind,
    description: '',
    metadata: { pattern: shape, until },
    steps,
  }
}

export const stepsOf = (turns: readonly Turn[]): string[] => turns.map(({ step }) => step)

/** What was said so far, in order, as it goes into a description: it only grows, so that what precedes it is cached. */
export function transcriptSoFar(turns: readonly Turn[]): string {
  return turns.map(({ step, speaker, round }) => `${speaker}, round ${round}:\n${outputOf(step)}`).join('\n\n')
}
