/**
 * What a host brings to a run that drafts: the words of verdicts, and what is known of pairs of models. Loaded when a run drafts,
 * so that no other run pays for it.
 */
import type { CallCommand, NoteCommand } from './commands.js'
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { RunEvent } from './events.js'
import type { Verdict } from './generated/wire.js'
import type { DraftsReport, RunReport } from './report.js'
import type { RunTexts } from './run-texts.js'

/** What a judging call is asked: `answer` is set as material, `issues` are the words behind it. */
export interface DraftQuestion {
  readonly answer: string
  readonly issues: string
}

export interface DraftVerdict {
  readonly verdict: 'pass' | 'patch' | 'reject' | 'unclear'
  /** The patched draft; of a rejected one the beginning that stands. */
  readonly text: string
  /** How much of the draft that is, in 1/1000. */
  readonly kept: number
}

/** The words of verdicts. */
export interface DraftWords {
  /** Can this draft stand? */
  verify(draft: string): DraftQuestion
  readVerdict(answer: string, draft: string): DraftVerdict
  /** Which is better, not saying which is whose? */
  compare(draft: string, full: string, draftFirst: boolean): DraftQuestion
  /** pass: the full answer is no better. */
  readComparison(answer: string, draftFirst: boolean): 'pass' | 'issues' | 'unclear'
}

/** What a judging call has said. */
export interface DraftJudgement {
  readonly verdict: Verdict
  /** The issues, or what is left of a draft. */
  readonly text: string
  /** Of a draft: how much of it stands, in 1/1000; above: it is to be compared with a full answer. */
  readonly kept?: number
}

/** The run in which a draft is judged. */
export interface JudgingRun {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly isDue: (step: number) => boolean
}

export interface DraftDesk extends DraftWords {
  /** What the call, of a verifier or a judge, is asked. */
  question(command: CallCommand, texts: RunTexts): DraftQuestion
  judgement(command: CallCommand, reply: string, run: JudgingRun): DraftJudgement
  /** What drafts came to; undefined: no step could have been drafted. */
  summary(report: RunReport): DraftsReport | undefined
  /** Decides, step by step, who drafts. */
  planner(run: DraftedRun): DraftPlanner
}

/** What a planner sees of a run. */
export interface DraftedRun {
  readonly core: CoreRun
  readonly texts: RunTexts
  /** The member `draft` of the options of `begin`: type of step, or * → a DraftUse. */
  readonly uses: unknown
}

export interface DraftPlanner {
  /** Before commands are drained: steps that have become known are decided. */
  plan(now: number): void
  /** A note of the core, live. */
  note(command: NoteCommand, now: number): void
  /** What watchers are told: how fast models are. */
  event(event: RunEvent): void
  /** Whether the draft of the step, just accepted, is to be compared with a full answer. */
  isDue(step: number): boolean
}

export function noDrafts(): AetherflowError {
  return new AetherflowError('host.usage', 'draft', 'the run drafts, and this host brings nothing to verify with')
}
