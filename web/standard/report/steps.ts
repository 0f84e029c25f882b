/** The table of steps: what became of each, where its output lies, who did it. */
import type { CallReport, RunReport, StepReport } from '../../../bindings/events.js'
import { failureKindWords, reasonWords, type Reason } from '../../../bindings/generated/wire.js'
import { costOfStep } from './prices.js'
import { documentWords, formatCost, formatCount, formatDuration } from '../format.js'
import { heading, longTable, type Block, type Inline } from './blocks.js'
import { tookMs, type Expected } from './facts.js'
import { decidingCall } from './policy.js'

/** Rows of a table; run.json has all. */
export const mostStepRows = 2000

/** `step`: an id as the link to its output. */
export function stepsSection(report: RunReport, expected: Expected | undefined, step: (id: string) => Inline): Block[] {
  const rows = report.steps.slice(0, mostStepRows).map((one) => {
    const main = decidingCall(one)
    const out = one.calls.reduce((sum, { tokens }) => sum + tokens.output, 0)
    return [
      step(one.id),
      one.state,
      main === undefined ? '–' : `${main.provider} ${main.model}`,
      one.route === undefined ? '–' : one.route.why,
      formatDuration(one.startedAt),
      formatDuration(tookMs(one)),
      ...(expected === undefined ? [] : [formatDuration(expected.steps.get(one.id))]),
      formatDuration(main?.firstTokenMs),
      formatCount(out),
      formatCost(costOfStep(one)),
      notes(one, main).join('; '),
    ]
  })
  const heads = [
    ...['step', 'state', 'done by', 'because', 'began after', 'took'],
    ...(expected === undefined ? [] : ['expected']),
    ...['first token', 'tokens out', 'cost', 'notes'],
  ]
  return [heading('Steps'), ...longTable(heads, rows, report.steps.length, 'steps')]
}

export function why(step: StepReport, messages?: ReadonlyMap<string, string>): string {
  const words: string[] = []
  if (step.failure !== undefined) words.push(`${step.failure}: ${failureKindWords[step.failure]}`)
  else if (step.reason !== undefined) words.push(reasonWords[step.reason])
  if (step.cause !== undefined) words.push(`because of ${step.cause}`)
  const said = messages?.get(step.id)
  if (said !== undefined && said !== '' && !words.some((word) => word.includes(said))) words.push(said)
  return words.join('; ')
}

const auditWords: Readonly<Record<string, string>> = {
  passed: 'the audit found no issue',
  issues: 'the audit found issues',
  undone: 'the audit could not be done',
}

function notes(step: StepReport, main: CallReport | undefined): string[] {
  const words: string[] = []
  if (main?.overflowed === true) words.push('its preferred provider was full')
  const tries = step.calls.filter(({ purpose }) => purpose === 'main').length
  if (tries > 1) words.push(`${tries} attempts`)
  if (main?.purpose === 'hedge') words.push('the hedge answered first')
  if (step.state === 'done' && step.reason !== undefined) words.push(withoutCall(step, step.reason))
  if (step.documents !== undefined) words.push(foundWords(step.documents))
  if (step.check?.pass === false) words.push('its answer did not pass its check')
  if (main?.finish === 'length') words.push('cut at its answer limit')
  if (step.audit !== undefined) words.push(auditWords[step.audit] ?? step.audit)
  const repairs = step.calls.filter(({ purpose }) => purpose === 'repair').length
  if (step.repaired === true) words.push('the repair replaced the first answer')
  else if (repairs > 0) words.push('a repair was tried; the first answer is kept')
  if (step.calls.some(({ tokens, outcome }) => tokens.estimated && outcome === 'ok')) words.push('tokens estimated')
  return words
}

function foundWords({ references, abstained, failure }: NonNullable<StepReport['documents']>): string {
  return failure === undefined ? documentWords(references.length, abstained) : 'no documents could be looked for'
}

function withoutCall({ cause }: StepReport, reason: Reason): string {
  return cause === undefined ? reasonWords[reason] : `${reasonWords[reason]}: ${cause}`
}
