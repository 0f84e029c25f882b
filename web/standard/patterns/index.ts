/** Several answers to one question, as plans: debate, consensus, vote, best-of, revise. See README.md. */
import { consensus, debate, type DebateSettings } from './debate.js'
import { readPattern, type PatternResult } from './read.js'
import { bestOf, revise, vote, type SampleSettings } from './samples.js'
import type { PatternKind, PatternPlan, Turn } from './types.js'
import type { RunResult } from '../run/plan-run.js'

export { bestOf, consensus, debate, revise, vote, type DebateSettings, type SampleSettings }
export { readPattern, type PatternCost, type PatternResult, type PatternRun, type SaidTurn } from './read.js'
export { Speaking, type Listener } from './speaking.js'
export { costLines, transcriptMarkdown } from './transcript.js'
export {
  patternKinds,
  type PatternKind,
  type PatternPlan,
  type PatternSettings,
  type PatternShape,
  type Speaker,
  type Turn,
} from './types.js'

/** By its name. Fails: host.usage. */
export function patternOf(kind: PatternKind, settings: DebateSettings & SampleSettings): PatternPlan {
  const make = { debate, consensus, vote, 'best-of': bestOf, revise }[kind]
  return make(settings)
}

export interface PatternListeners {
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /** A speaker's words as they stream. */
  readonly onSpeech?: ((turn: Turn, piece: string) => void) | undefined
}

/** Reads what the run of a pattern's plan came to. `start` gets the listener of its texts. Rejects as the run. */
export async function patternRun<Result extends RunResult>(
  plan: PatternPlan,
  start: (onText: (step: string, piece: string) => void) => PromiseLike<Result>,
  { onText, onSpeech }: PatternListeners,
): Promise<PatternResult & { readonly run: Result }> {
  const { pattern } = plan.metadata
  const turns = new Map(pattern.turns.map((turn) => [turn.step, turn]))
  const run = await start((step, piece) => {
    const turn = turns.get(step)
    if (turn !== undefined) onSpeech?.(turn, piece)
    onText?.(step, piece)
  })
  return { ...readPattern(pattern, run), run }
}
