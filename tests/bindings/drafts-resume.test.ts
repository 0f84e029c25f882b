/** A run with drafts that is cut at every record of its journal, so in the middle of each of their phases, and resumed. */
import { beforeAll, expect, test } from '@jest/globals'
import type { AnswerChecker } from '../../bindings/checker.js'
import type { CallTicket } from '../../bindings/performer.js'
import { journalPlan, readJournal, type Journal } from '../../bindings/journal/reader.js'
import { draftDesk } from '../../web/standard/draft/desk.js'
import { CoreRun } from '../../bindings/core.js'
import { loadCore } from '../../node/loader.js'
import { replayJournal } from '../../web/standard/run/replay.js'
import { Answers, begin, planOf, ran, resumed, step, type Ran } from './journalled.js'

const draft = 'first line\nsecond line\nthird line\nfourth line'
const beginning = 'first line\nsecond line\n'
const verdicts: Readonly<Record<string, string>> = {
  good: '{"verdict":"accept"}',
  patched: '{"verdict":"patch","edits":[{"from":4,"to":4,"text":"better line"}]}',
  begun: '{"verdict":"reject","good_lines":2}',
  bad: '{"verdict":"reject","good_lines":0}',
  unread: 'fine by me',
}

function answerTo({ purpose, step: { id }, prefix }: CallTicket): string {
  if (purpose === 'draft') return draft
  if (purpose === 'verify') return verdicts[id] ?? ''
  if (purpose === 'judge') return '{"better":"same"}'
  return `${prefix ?? ''}answer of ${id}`
}

const plan = planOf(...Object.keys(verdicts).map((id) => step(id, [], { draft: 'always', estimated_tokens: 200 })))
const options = () => ({
  begin: { ...begin, draft: { '*': 'always' } },
  drafts: draftDesk({ config: { drafts: { audit: 1 } }, available: begin.available }),
})

/** What the first records of the journal lack of the plan. */
function rest(journal: Journal, most: number): Uint8Array {
  const { bytes, whole: all } = journalPlan(journal.records.slice(0, most))
  return all ? new Uint8Array() : plan.subarray(bytes.length)
}

/** Whether a call had answered whose verdict comes only after the cut. */
function isVerdictLost({ records }: Journal, most: number): boolean {
  const callOf = (record: Journal['records'][number]): unknown => ('v' in record ? record.v[0] : undefined)
  const answered = new Set(records.slice(0, most).flatMap((one) => (one.e === 'succeeded' ? [callOf(one)] : [])))
  return records.slice(most).some((one) => one.e === 'verdict' && answered.has(callOf(one)))
}

let whole: Ran
const shown = new Map<string, string>()
beforeAll(async () => {
  const onText = (id: string, piece: string): void => void shown.set(id, (shown.get(id) ?? '') + piece)
  whole = await ran(plan, new Answers(answerTo), { ...options(), onText })
})

test('every protocol ends in the output that it promises', () => {
  expect([...whole.result.outputs]).toEqual([
    ['good', draft],
    ['patched', draft.replace('fourth', 'better')],
    ['begun', `${beginning}answer of begun`],
    ['bad', 'answer of bad'],
    ['unread', 'answer of unread'],
  ])
  expect(whole.result.report.steps.map((one) => one.draft)).toEqual([
    'draft_accepted',
    'draft_patched',
    'draft_rejected',
    'draft_rejected',
    'draft_failed',
  ])
  expect(whole.result.report.steps[0]?.canary).toBe('canary_agrees')
  // What was taken back with the draft is shown again: the beginning that stands, and the text with the small change.
  expect(shown.get('begun')).toBe(beginning)
  expect(shown.get('patched')).toBe(draft.replace('fourth', 'better'))
})

test('cut at every record it comes to the same outputs and costs, and calls nothing that is in the journal', async () => {
  const { bytes, journal, result } = whole
  const purposes = new Set<string>()
  for (let most = 0; most <= journal.records.length; ++most) {
    const performer = new Answers(answerTo)
    const again = await resumed(bytes, performer, { most, plan: rest(journal, most), options: options() })
    for (const { purpose } of performer.tickets) purposes.add(purpose)
    expect([most, again.result.outcome]).toEqual([most, 'ok'])
    // A verdict that was lost with its process counts as none: the step is done in full.
    if (isVerdictLost(journal, most)) continue
    expect([most, [...again.result.outputs]]).toEqual([most, [...result.outputs]])
    const drafted = again.result.report.steps.map((one) => one.draft)
    expect([most, drafted]).toEqual([most, result.report.steps.map((one) => one.draft)])
    expect(performer.tickets.length).toBeLessThanOrEqual(result.report.totals.calls)
  }
  expect([...purposes].sort()).toEqual(['canary', 'draft', 'judge', 'main', 'verify'])
})

/** Full answers take their time, and end when they are cancelled. */
class SlowInFull extends Answers {
  override async perform(ticket: CallTicket) {
    const turns = ticket.purpose === 'hedge' || ticket.purpose === 'main' ? 30 : 0
    for (let turn = 0; turn < turns; turn++) {
      ticket.signal.throwIfAborted()
      await new Promise((resolve) => setImmediate(resolve))
    }
    return super.perform(ticket)
  }
}

test('beside a full answer: accepted and patched drafts are there first, rejected ones do not hold it up; cut anywhere the same', async () => {
  const hedged = () => ({
    ...options(),
    drafts: draftDesk({ config: { drafts: { audit: 1, hedged: true } }, available: begin.available }),
  })
  const { bytes, journal, result, events } = await ran(plan, new SlowInFull(answerTo), hedged())
  expect([...result.outputs]).toEqual([
    ['good', draft],
    ['patched', draft.replace('fourth', 'better')],
    ['begun', 'answer of begun'],
    ['bad', 'answer of bad'],
    ['unread', 'answer of unread'],
  ])
  expect(result.report.steps.map((one) => one.draft)).toEqual([
    'draft_accepted',
    'draft_patched',
    'draft_rejected',
    'draft_rejected',
    'draft_failed',
  ])
  // Nothing of it was shown, so nothing was provisional.
  expect(events.filter(({ type }) => type === 'provisional')).toEqual([])
  expect(events.filter(({ type }) => type === 'confirmed')).toHaveLength(2)
  for (let most = 0; most <= journal.records.length; most += 3) {
    const again = await resumed(bytes, new SlowInFull(answerTo), {
      ...{ most, plan: rest(journal, most) },
      options: hedged(),
    })
    expect([most, again.result.outcome]).toEqual([most, 'ok'])
    expect([most, again.result.outputs.size]).toEqual([most, 5])
  }
})

test('a full answer that is there first counts, and its draft was late', async () => {
  const quick = await ran(plan, new Answers(answerTo), {
    ...options(),
    drafts: draftDesk({ config: { drafts: { hedged: true } }, available: begin.available }),
  })
  expect(new Set(quick.result.report.steps.map((one) => one.draft))).toEqual(new Set(['draft_late']))
  expect(quick.result.outputs.get('good')).toBe('answer of good')
  expect(quick.result.report.drafts).toMatchObject({ late: 5, accepted: 0 })
})

test('a replay decides the same once more', async () => {
  const core = new CoreRun(await loadCore())
  try {
    const { records, replayed, outcome, state } = replayJournal(core, readJournal(whole.bytes))
    expect([replayed, outcome]).toEqual([records, 'ok'])
    expect(state.costMicroUsd).toBe(whole.result.report.totals.costMicroUsd)
  } finally {
    core.dispose()
  }
})

test('with answers that the host checks: cut anywhere the same, a draft that fails its check is verified by nobody', async () => {
  const checked = planOf(
    ...['good', 'patched', 'bad'].map((id) =>
      step(id, [], { draft: 'always', estimated_tokens: 200, output_file: `${id}.md` }),
    ),
  )
  const checker: AnswerChecker = {
    accept: () => undefined,
    check: ({ step: { id }, text }) =>
      Promise.resolve({ pass: !(id === 'bad' && text === draft), parts: [], functional: false, issues: '' }),
  }
  const checking = () => ({ ...options(), begin: { ...options().begin, checks: true }, checker })
  const { bytes, journal, result } = await ran(checked, new Answers(answerTo), checking())
  const became = (run: typeof result) => run.report.steps.map(({ draft: word, state }) => [word, state])
  expect(became(result)).toEqual([
    ['draft_accepted', 'done'],
    ['draft_rejected', 'done'],
    ['draft_failed', 'done'],
  ])
  for (let most = 0; most <= journal.records.length; ++most) {
    const { bytes: known, whole: all } = journalPlan(journal.records.slice(0, most))
    const performer = new Answers(answerTo)
    const plan = all ? new Uint8Array() : checked.subarray(known.length)
    const again = await resumed(bytes, performer, { most, plan, options: checking() })
    if (isVerdictLost(journal, most)) continue
    expect([most, became(again.result)]).toEqual([most, became(result)])
    expect([most, [...again.result.outputs]]).toEqual([most, [...result.outputs]])
    expect(performer.tickets.filter(({ purpose, step: { id } }) => purpose === 'verify' && id === 'bad')).toEqual([])
  }
})
