/**
 * A debate, and the consensus that may make one unnecessary.
 *
 *     r1.a ─┬─▶ r2.a ─▶ r2.b ─▶ r3.a ─▶ r3.b ─▶ judge        round 1 at once, later ones in turn; each sees all before it
 *     r1.b ─┘
 *
 * A turn that fails is `(no answer)` and the round goes on; two in a row end the speaker's part; a judge needs a side each.
 */
import type { Step } from '../../../bindings/plan.js'
import type { UntilRule } from '../../../bindings/until.js'
import { escaped, modelOf, planOf, stepOf, stepsOf, topicOf, transcriptSoFar, usage, whole } from './parts.js'
import type { PatternPlan, PatternSettings, Speaker, Turn } from './types.js'

export interface DebateSettings extends PatternSettings {
  /** Two to six, in the order in which they speak; default an advocate and a challenger. */
  readonly roles?: readonly (string | Speaker)[] | undefined
  /** One to five; default 3, of a consensus 2. */
  readonly rounds?: number | undefined
  /** Tokens expected in a turn after the first round; default `answerTokens`. */
  readonly laterTokens?: number | undefined
}

const usualRoles: readonly Speaker[] = [
  { name: 'Advocate', stance: 'argues for the answer that it holds to be right' },
  { name: 'Challenger', stance: 'looks for what is wrong with the other answers, and gives a better one' },
]
/** A speaker that gives no answer so often in a row has ended its part. */
const silences = 2
/** Of closed questions to two different models, in published trials; see README.md. */
const agreesAtOnce = 0.8

/** Fails: host.usage. */
export function debate(settings: DebateSettings): PatternPlan {
  const { topic, speakers, rounds, turns } = checked(settings, 3)
  const steps = turns.map((turn) => turnStep(settings, turn, { topic, speakers, turns }))
  const judge = judgeStep(settings, topic, turns)
  const until = [...silent(speakers, turns), sides(speakers, turns)]
  const shape = { kind: 'debate', topic: settings.topic, turns, judge: judge.id } as const
  return planOf(shape, [...steps, judge], rounds > 0 ? until : [])
}

const agreeSchema = {
  type: 'object',
  properties: { same: { type: 'boolean' } },
  required: ['same'],
  additionalProperties: false,
}

/**
 * Answers of the first round that say the same end it: by their texts without a call, else by one cheap call that compares them. What they
 * disagree on is debated. Fails: host.usage.
 */
export function consensus(settings: DebateSettings): PatternPlan {
  const { topic, speakers, turns } = checked(settings, 2)
  const first = turns.filter(({ round }) => round === 1)
  const later = turns.filter(({ round }) => round > 1)
  const agree = stepOf(
    { ...settings, answerTokens: 20 },
    {
      id: 'agree',
      description: `Question:\n${topic}\n\nAnswers:\n\n${transcriptSoFar(first)}\n\nDo these answers say the same in what the question asks for? Answer {"same": true} or {"same": false}.`,
      complexity: 0.1,
      output: agreeSchema,
      optional: true,
    },
    settings.judge,
  )
  const steps = [
    ...first.map((turn) => firstStep(settings, turn, topic, speakers)),
    agree,
    ...later.map((turn) => ({
      ...turnStep(settings, turn, { topic, speakers, turns }),
      // It waits for the comparison, and says nothing of it: that they differ is seen.
      dependencies: [agree.id],
    })),
  ]
  const judge = judgeStep(settings, topic, turns)
  const rest = [...stepsOf(later), judge.id]
  const until: UntilRule[] = [
    { until: 'agree', of: stepsOf(first), settles: [agree.id, ...rest], likely: agreesAtOnce },
    { until: 'field', step: agree.id, field: 'same', value: true, settles: rest },
    ...silent(speakers, turns),
    sides(speakers, turns),
  ]
  const shape = { kind: 'consensus', topic: settings.topic, turns, judge: judge.id, agree: agree.id } as const
  return planOf(shape, [...steps, judge], until)
}

interface Checked {
  readonly topic: string
  readonly speakers: readonly Speaker[]
  readonly rounds: number
  readonly turns: readonly Turn[]
}

function checked(settings: DebateSettings, usualRounds: number): Checked {
  const topic = topicOf(settings)
  const rounds = whole(settings.rounds ?? usualRounds, 'rounds', 1, 5)
  whole(settings.laterTokens ?? 1, 'laterTokens', 1, 100_000)
  const roles = settings.roles ?? usualRoles
  const speakers = roles.map((role) => (typeof role === 'string' ? { name: role } : role))
  if (speakers.length < 2 || speakers.length > 6) throw usage('roles', 'two to six speakers')
  const names = new Set(speakers.map(({ name }) => name))
  if (names.size !== speakers.length || speakers.some(({ name }) => !/^[^\u0000-\u001f{}]{1,60}$/.test(name)))
    throw usage('roles', 'each speaker needs a name of its own, of 1 to 60 characters without braces')
  const turns = Array.from({ length: rounds }, (_, at) =>
    speakers.map(({ name }, place) => ({ step: `r${at + 1}.${place + 1}`, speaker: name, round: at + 1 })),
  ).flat()
  return { topic, speakers, rounds, turns }
}

function turnStep(
  settings: DebateSettings,
  turn: Turn,
  { topic, speakers, turns }: Pick<Checked, 'topic' | 'speakers' | 'turns'>,
): Step {
  if (turn.round === 1) return firstStep(settings, turn, topic, speakers)
  const before = turns.slice(0, turns.indexOf(turn))
  const { speaker, round } = turn
  const description = `Question:\n${topic}\n\nDebate so far (a turn without output gave no answer):\n\n${transcriptSoFar(before)}\n\nYou are ${speaker}${stanceOf(speakers, speaker)}. This is round ${round}. Answer what the others said, change your mind where they are right, and say what your answer is now.`
  return speech(settings, turn, speakers, description)
}

function firstStep(settings: DebateSettings, turn: Turn, topic: string, speakers: readonly Speaker[]): Step {
  const description = `Question:\n${topic}\n\nYou are ${turn.speaker}${stanceOf(speakers, turn.speaker)}. Answer the question, with your reasons.`
  return speech(settings, turn, speakers, description)
}

/** Optional: without it the debate goes on, and a budget that runs low gives it up before the verdict. */
function speech(settings: DebateSettings, turn: Turn, speakers: readonly Speaker[], description: string): Step {
  const place = speakers.findIndex(({ name }) => name === turn.speaker)
  const model = speakers[place]?.model ?? modelOf(settings, place)
  const { laterTokens } = settings
  const length = turn.round > 1 && laterTokens !== undefined ? { estimated_tokens: laterTokens } : {}
  return stepOf(settings, { id: turn.step, description, optional: true, ...length }, model)
}

function stanceOf(speakers: readonly Speaker[], name: string): string {
  const stance = speakers.find((speaker) => speaker.name === name)?.stance
  return stance === undefined ? '' : `, who ${escaped(stance)}`
}

function judgeStep(settings: DebateSettings, topic: string, turns: readonly Turn[]): Step {
  const description = `Question:\n${topic}\n\nDebate (a turn without output gave no answer):\n\n${transcriptSoFar(turns)}\n\nYou are the judge. Say which answer holds, why, and what remains open. Weigh reasons, not who repeats them.`
  return stepOf(settings, { id: 'judge', description }, settings.judge)
}

const silent = (speakers: readonly Speaker[], turns: readonly Turn[]): UntilRule[] =>
  turns.length / speakers.length <= silences
    ? []
    : speakers.map(({ name }) => ({ until: 'silent', of: stepsOf(turns.filter(by(name))), times: silences }))

const sides = (speakers: readonly Speaker[], turns: readonly Turn[]): UntilRule => ({
  until: 'side_missing',
  sides: speakers.map(({ name }) => stepsOf(turns.filter(by(name)))),
  cancels: ['judge'],
})

const by =
  (name: string) =>
  ({ speaker }: Turn): boolean =>
    speaker === name
