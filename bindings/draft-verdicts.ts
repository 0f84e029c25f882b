/** What the judging calls of a run that drafts are asked, and what their replies mean to it. Comes with the desk, not with every run. */
import type { CallCommand } from './commands.js'
import type { DraftJudgement, DraftQuestion, DraftWords, JudgingRun } from './drafts.js'
import { checkVerdicts } from './generated/wire.js'
import { acceptable, type RunTexts } from './run-texts.js'

export function questionOf(words: DraftWords, { purpose, step, attempt }: CallCommand, texts: RunTexts): DraftQuestion {
  if (purpose === 'verify') return words.verify(draftOf(texts, step))
  return words.compare(texts.outputs[step] ?? '', texts.canaries.get(step) ?? '', isDraftFirst(attempt))
}

export function judgementOf(
  words: DraftWords,
  { purpose, step, attempt }: CallCommand,
  reply: string,
  { core, texts, isDue }: JudgingRun,
): DraftJudgement {
  if (purpose === 'judge') return { verdict: words.readComparison(reply, isDraftFirst(attempt)), text: '' }
  const told = words.readVerdict(reply, draftOf(texts, step))
  if (told.verdict === 'pass') return { ...told, kept: isDue(step) ? 1001 : 1000 }
  if (told.verdict !== 'patch') return told
  // The draft has passed the host's check, and the patch has not: what is in front of it can be gone on from.
  if (texts.checks.has(step)) return untouched(draftOf(texts, step), told.text)
  const { verdict, text } = core.check(step, told.text)
  // A patch that breaks the output constraint leaves nothing to deliver.
  return acceptable(checkVerdicts.indexOf(verdict)) ? { ...told, text } : { verdict: 'reject', text: '', kept: 0 }
}

/** The lines that a patch leaves as they were, up to the first that it changes. */
function untouched(draft: string, patched: string): DraftJudgement {
  const [lines, others] = [draft.split('\n'), patched.split('\n')]
  const first = lines.findIndex((line, index) => line !== others[index])
  const count = first < 0 ? lines.length - 1 : first
  const text = count === 0 ? '' : `${lines.slice(0, count).join('\n')}\n`
  return { verdict: 'reject', text, kept: Math.floor((1000 * text.length) / Math.max(1, draft.length)) }
}

const draftOf = (texts: RunTexts, step: number): string => texts.drafted.get(step) ?? texts.answers.get(step) ?? ''
/** Calls of a step are numbered in turn, so its two comparisons differ in this. */
const isDraftFirst = (attempt: number): boolean => attempt % 2 === 0
