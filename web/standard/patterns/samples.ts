/** Answers that are chosen from, and one that is gone over again. */
import type { UntilRule } from '../../../bindings/until.js'
import { modelOf, outputOf, planOf, stepOf, stepsOf, topicOf, transcriptSoFar, whole } from './parts.js'
import type { PatternPlan, PatternSettings, Turn } from './types.js'

export interface SampleSettings extends PatternSettings {
  /** Answers that are asked for: of a vote 3 to 15, of best-of 2 to 15; default 3. */
  readonly samples?: number | undefined
}

function samplesOf(settings: SampleSettings, least: number): { topic: string; turns: Turn[] } {
  const topic = topicOf(settings)
  const count = whole(settings.samples ?? 3, 'samples', least, 15)
  const turns = Array.from({ length: count }, (_, at) => ({
    step: `s${at + 1}`,
    speaker: `Sample ${at + 1}`,
    round: 1,
  }))
  return { topic, turns }
}

/** Equal requests would be one call for a run with a cache, and one answer for a model that is asked coldly: each is a request of its own. */
const sampleSteps = (settings: SampleSettings, topic: string, turns: readonly Turn[]) =>
  turns.map(({ step }, at) =>
    stepOf(
      settings,
      {
        id: step,
        description: topic,
        temperature: 1,
        optional: true,
        ...(settings.output === undefined ? {} : { output: settings.output }),
      },
      modelOf(settings, at),
    ),
  )

/**
 * The answer that most samples give, by canonical JSON or normalised text. Samples that cannot change it are not waited for; where two
 * answers have equally many, one call that is counted says which of them most agree with. Fails: host.usage.
 */
export function vote(settings: SampleSettings): PatternPlan {
  const { topic, turns } = samplesOf(settings, 3)
  const judge = stepOf(
    settings,
    {
      id: 'judge',
      description: `Question:\n${topic}\n\nAnswers:\n\n${transcriptSoFar(turns)}\n\nNo answer has the most votes word for word. Group those that say the same, and repeat the answer of the largest group and nothing else.`,
      complexity: 0.2,
      ...(settings.output === undefined ? {} : { output: settings.output }),
    },
    settings.judge,
  )
  const until: UntilRule[] = [
    { until: 'majority', of: stepsOf(turns), settles: [judge.id] },
    { until: 'side_missing', sides: [stepsOf(turns)], cancels: [judge.id] },
  ]
  const shape = { kind: 'vote', topic: settings.topic, turns, judge: judge.id } as const
  return planOf(shape, [...sampleSteps(settings, topic, turns), judge], until)
}

/**
 * The best of several answers: those that break the output constraint are out, a judge picks among the others by the number; one that is
 * left alone needs no judge. Fails: host.usage.
 */
export function bestOf(settings: SampleSettings): PatternPlan {
  const { topic, turns } = samplesOf(settings, 2)
  const numbers = turns.map((_, at) => at + 1)
  const judge = stepOf(
    { ...settings, answerTokens: 120 },
    {
      id: 'judge',
      description: `Task:\n${topic}\n\nCandidates (one without output is out):\n\n${turns.map(({ step }, at) => `Candidate ${at + 1}:\n${outputOf(step)}`).join('\n\n')}\n\nWhich candidate is best? Judge what they do, not how they praise it.`,
      output: {
        type: 'object',
        properties: { why: { type: 'string' }, best: { enum: numbers } },
        required: ['why', 'best'],
        additionalProperties: false,
      },
    },
    settings.judge,
  )
  const until: UntilRule[] = [
    { until: 'side_missing', sides: [stepsOf(turns)], cancels: [judge.id] },
    { until: 'alone', of: stepsOf(turns), settles: [judge.id] },
  ]
  const shape = { kind: 'best-of', topic: settings.topic, turns, judge: judge.id } as const
  return planOf(shape, [...sampleSteps(settings, topic, turns), judge], until)
}

/** A draft, its critique, and one revision, which is not needed when nothing was found. Fails: host.usage. */
export function revise(settings: PatternSettings): PatternPlan {
  const topic = topicOf(settings)
  const output = settings.output === undefined ? {} : { output: settings.output }
  const draft = stepOf(settings, { id: 'draft', description: topic, ...output }, modelOf(settings, 0))
  const critique = stepOf(
    { ...settings, answerTokens: 150 },
    {
      id: 'critique',
      description: `Task:\n${topic}\n\nAnswer:\n${outputOf(draft.id)}\n\nList what is wrong with the answer: errors and omissions that matter, no matters of taste. An empty list when nothing is.`,
      optional: true,
      output: {
        type: 'object',
        properties: { issues: { type: 'array', items: { type: 'string' } } },
        required: ['issues'],
        additionalProperties: false,
      },
    },
    settings.judge,
  )
  const revision = stepOf(
    settings,
    {
      id: 'revision',
      description: `Task:\n${topic}\n\nFirst answer:\n${outputOf(draft.id)}\n\nWhat was found wrong with it:\n${outputOf(critique.id)}\n\nGive the answer again without these faults, whole, and nothing beside it.`,
      ...output,
      // The draft is an answer already.
      optional: true,
    },
    modelOf(settings, 0),
  )
  const turns = [{ step: draft.id, speaker: 'Author', round: 1 }]
  const until: UntilRule[] = [
    { until: 'field', step: critique.id, field: 'issues', value: [], settles: [revision.id] },
    { until: 'side_missing', sides: [[critique.id]], cancels: [revision.id] },
  ]
  const shape = { kind: 'revise', topic: settings.topic, turns, judge: revision.id, critique: critique.id } as const
  return planOf(shape, [draft, critique, revision], until)
}
