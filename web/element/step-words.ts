/** What the states of steps are called, and the mark of each: a shape of its own, so that no state is told by colour alone. */
import { formatCompact, formatCost, formatCount, formatDuration, plural } from '../standard/format.js'
import { reusedWords } from './reused-words.js'
import type { StepRow, StepRowState } from './run-rows.js'

export const stateWords: Readonly<Record<StepRowState, string>> = {
  waiting: 'waiting',
  ready: 'ready',
  running: 'running',
  done: 'done',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'cancelled',
}

/** A step that is done without a call has a shape of its own. */
export type StepMark = StepRowState | 'reused'
export const markOf = ({ state, reused }: StepRow): StepMark =>
  state === 'done' && reused !== undefined ? 'reused' : state

/** Paths in a square of 16, stroked. */
export const stateMarks: Readonly<Record<StepMark, string>> = {
  waiting: 'M8 3.2a4.8 4.8 0 1 0 0 9.6a4.8 4.8 0 1 0 0-9.6',
  ready: 'M8 2.6a5.4 5.4 0 1 0 0 10.8a5.4 5.4 0 1 0 0-10.8M8 5v3.2l2.2 1.4',
  running: 'M5.4 3.5v9l7.2-4.5z',
  done: 'M3 8.5l3.3 3.4L13 4.6',
  reused: 'M13 8a5 5 0 1 1-1.6-3.7M13.2 1.8v3.4H9.8M5.8 8.2l1.6 1.7 3-3.3',
  failed: 'M4 4l8 8M12 4l-8 8',
  skipped: 'M3.5 4.5l4 3.5-4 3.5M8.5 4.5l4 3.5-4 3.5',
  cancelled: 'M8 2.8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4M4.4 4.4l7.2 7.2',
}

/** How often a step was called for its answer; hedges run beside a call and are no tries of their own. */
export const triesOf = ({ bars }: StepRow): number =>
  bars.reduce((sum, { purpose }) => sum + (purpose === 'main' ? 1 : 0), 0)
const tryWords = (row: StepRow): string => (triesOf(row) > 1 ? ` · try ${triesOf(row)}` : '')

/** One line that tells all of a step: for screen readers and tooltips. */
export function rowWords(row: StepRow, at: number): string {
  // In the words that are seen, or people who speak to their machine cannot name what they see.
  if (markOf(row) === 'reused') return `${row.info.id}, ${reusedWords(row)}`
  const words = [
    row.info.id,
    // Beside the name, as it is seen.
    ...(triesOf(row) > 1 ? [`${triesOf(row)} tries`] : []),
    // On the bars.
    ...row.bars.flatMap(({ purpose }) => (purpose === 'main' ? [] : [purpose])),
    row.provider === '' ? stateWords[row.state] : `${stateWords[row.state]} on ${row.provider}`,
  ]
  if (row.startedAt !== undefined) {
    const end = row.endedAt ?? at
    words.push(`started at ${formatDuration(row.startedAt)}, ${formatDuration(end - row.startedAt)} long`)
  }
  if (row.tokensOut > 0) words.push(`${formatCount(row.tokensOut)} tokens out`)
  if (row.costMicroUsd > 0) words.push(formatCost(row))
  if (row.leader !== '') words.push(`waited for ${row.leader} to fill the prompt cache`)
  if (row.followers > 0) words.push(`fills the prompt cache for ${plural(row.followers, 'other step')}`)
  if (row.note !== '') words.push(row.note)
  return words.join(', ')
}

/** On a bar: whom it followed at a prompt cache, or how many followed it. */
export const cacheMark = ({ leader, followers }: StepRow): string =>
  leader !== '' ? `← ${leader}` : followers > 0 ? `→ ${followers}` : ''

/** The second line of a node: where it runs and how far it is. */
export function rowFigures(row: StepRow, at: number): string {
  switch (row.state) {
    case 'waiting':
      return row.info.type
    case 'ready': {
      const wait = row.waits.at(-1)
      return wait !== undefined && wait.to === undefined ? waitWords(wait.reason) : 'ready'
    }
    case 'running': {
      const tokens = row.tokensOut + row.liveTokens
      return (tokens > 0 ? `${row.provider} · ${formatCompact(tokens)} tok` : row.provider) + tryWords(row)
    }
    case 'done':
      if (row.reused !== undefined) return reusedWords(row)
      return row.recalled
        ? 'from an earlier run'
        : `${row.provider} · ${formatDuration(tookMs(row, at))}${tryWords(row)}`
    default:
      return row.provider === '' ? stateWords[row.state] : `${row.provider} · ${stateWords[row.state]}`
  }
}

export const tookMs = (row: StepRow, at: number): number => (row.endedAt ?? at) - (row.startedAt ?? row.endedAt ?? at)

/** Short words of waits: there is little room. */
export function waitWords(reason: string): string {
  const words: Readonly<Record<string, string>> = {
    retrying: 'again soon',
    waiting_for_limit: 'waits: limit',
    waiting_for_cooldown: 'told to wait',
    waiting_for_breaker: 'provider fails',
    waiting_for_budget: 'waits: budget',
    waiting_for_retry: 'fewer retries',
    waiting_for_prefix: 'waits: prompt cache',
    waiting_for_reserved: 'waits: place kept',
    waited_for_provider: 'waits: provider full',
  }
  return words[reason] ?? 'waits'
}
