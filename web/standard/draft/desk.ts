/** Verdicts on drafts: what verifiers and judges are asked, and what their answers mean. Prompts with a version: what is known of a pair holds for one. */
import { judgementOf, questionOf } from '../../../bindings/draft-verdicts.js'
import type { DraftDesk, DraftQuestion, DraftVerdict, DraftWords } from '../../../bindings/drafts.js'
import { draftPlanner, type PlannerSettings } from './planner.js'
import { draftSummary } from './summary.js'

/** Grows when the words change. */
export const promptVersion = 1

/** A patch may change so much of a draft, in 1/1000 of its lines; what changes more is another answer. */
const mostChanged = 400

const verifyWords = `The answer above is a draft by another model; every line begins with its number and a bar, which are not part of it.
Decide whether it can be delivered as it is. Ignore taste: only what is wrong, missing or against the task counts.
- It can: {"verdict":"accept"}
- A few lines are wrong: {"verdict":"patch","edits":[{"from":3,"to":4,"text":"the new lines, without numbers"}]}
- Otherwise: {"verdict":"reject","good_lines":0}, with the number of lines from its beginning that can stand.
Answer with this JSON only.
`

const compareWords = `The lines above that begin with A and those that begin with B are two answers to the task; number and bar are not part of them.
Which one does the task better? What counts is whether it is right and complete, not its length, order or style.
Answer with JSON only: {"better":"A"}, {"better":"B"} or {"better":"same"}.
`

export function draftDesk(settings: PlannerSettings): DraftDesk {
  return {
    ...draftWords,
    question: (command, texts) => questionOf(draftWords, command, texts),
    judgement: (command, reply, run) => judgementOf(draftWords, command, reply, run),
    planner: (run) => draftPlanner(run, settings),
    summary: draftSummary,
  }
}

const draftWords: DraftWords = {
  verify: (draft) => ({ answer: numbered(draft, ''), issues: verifyWords }),
  readVerdict,
  compare(draft, full, draftFirst): DraftQuestion {
    const [a, b] = draftFirst ? [draft, full] : [full, draft]
    return { answer: `${numbered(a, 'A')}\n${numbered(b, 'B')}`, issues: compareWords }
  },
  readComparison(answer, draftFirst) {
    const better = jsonOf(answer)?.['better']
    if (better !== 'A' && better !== 'B' && better !== 'same') return 'unclear'
    return better === (draftFirst ? 'B' : 'A') ? 'issues' : 'pass'
  },
}

/** No line of an answer can pass for one of another: each begins with what it belongs to. */
function numbered(text: string, mark: string): string {
  return text
    .split('\n')
    .map((line, index) => `${mark}${index + 1}| ${line}`)
    .join('\n')
}

const unclear: DraftVerdict = { verdict: 'unclear', text: '', kept: 0 }

function readVerdict(answer: string, draft: string): DraftVerdict {
  const json = jsonOf(answer)
  const lines = draft.split('\n')
  switch (json?.['verdict']) {
    case 'accept':
      return { verdict: 'pass', text: draft, kept: 1000 }
    case 'patch':
      return patched(lines, json['edits'])
    case 'reject': {
      const good = json['good_lines']
      const count =
        typeof good === 'number' && Number.isInteger(good) ? Math.min(Math.max(0, good), lines.length - 1) : 0
      const text = count === 0 ? '' : `${lines.slice(0, count).join('\n')}\n`
      return { verdict: 'reject', text, kept: permille(text.length, draft.length) }
    }
    default:
      return unclear
  }
}

interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Edits of lines that are there, in order and apart; `to` = `from` - 1 inserts. Anything else is no patch, and what is no small one a rejection. */
function patched(lines: readonly string[], given: unknown): DraftVerdict {
  if (!Array.isArray(given) || given.length === 0 || !given.every(isEdit)) return unclear
  const edits = (given as Edit[]).slice().sort((a, b) => a.from - b.from)
  const out: string[] = []
  let next = 1
  let kept = 0
  for (const { from, to, text } of edits) {
    if (from < next || to < from - 1 || to > lines.length) return unclear
    out.push(...lines.slice(next - 1, from - 1), ...(text === '' ? [] : text.replace(/\n$/, '').split('\n')))
    kept += from - next
    next = to + 1
  }
  kept += lines.length - next + 1
  out.push(...lines.slice(next - 1))
  const share = permille(kept, Math.max(lines.length, out.length))
  if (share < 1000 - mostChanged) return { verdict: 'reject', text: '', kept: 0 }
  return { verdict: 'patch', text: out.join('\n'), kept: Math.min(share, 999) }
}

function isEdit(value: unknown): value is Edit {
  const { from, to, text } = (value ?? {}) as Partial<Record<keyof Edit, unknown>>
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) >= 1 && typeof text === 'string'
}

const permille = (part: number, whole: number): number => (whole === 0 ? 0 : Math.floor((1000 * part) / whole))

/** The JSON object of an answer, with or without prose and fences around it. */
function jsonOf(answer: string): Readonly<Record<string, unknown>> | undefined {
  const [from, to] = [answer.indexOf('{'), answer.lastIndexOf('}')]
  if (from < 0 || to < from) return undefined
  try {
    return JSON.parse(answer.slice(from, to + 1)) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
