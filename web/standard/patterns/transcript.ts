/** A pattern as Markdown for people: the question, who said what in which round, the answer, and what it cost beside a single one. */
import { formatCount, formatDuration, formatUsd, plural } from '../format.js'
import type { PatternResult, SaidTurn } from './read.js'

const titles = {
  debate: 'Debate',
  consensus: 'Consensus',
  vote: 'Vote',
  'best-of': 'Best of several',
  revise: 'Revision',
} as const

/** `simulated`: name of the profile, told wherever figures stand. */
export function transcriptMarkdown(result: PatternResult, simulated?: string): string {
  const { kind, topic, turns, answer, why, verdict, votes } = result
  const parts = [`# ${titles[kind]}: ${oneHeading(topic)}`]
  let round = 0
  for (const turn of turns) {
    if (turn.round !== round && turns.some((other) => other.round !== 1)) parts.push(`## Round ${turn.round}`)
    round = turn.round
    parts.push(`### ${turn.speaker}${by(turn)}`, quoted(turn.text ?? absent(turn)))
  }
  if (votes.length > 0) {
    const lines = votes.map(({ votes: count, answer: text }) => `- ${plural(count, 'vote')}: ${oneHeading(text)}`)
    parts.push('## Votes', lines.join('\n') + (result.tied ? '\n\nThe most votes are a tie.' : ''))
  }
  parts.push(
    kind === 'debate' ? '## Verdict' : '## Answer',
    answer === undefined ? '(none)' : answer.trim(),
    `*${why}*`,
  )
  if (kind === 'consensus' && verdict !== undefined && verdict !== answer) parts.push('## Verdict', verdict)
  parts.push('## Cost', costLines(result, simulated).join('\n'))
  return `${parts.join('\n\n')}\n`
}

/** What it took, beside what the first answer alone took. */
export function costLines({ cost, single, changed, settled }: PatternResult, simulated?: string): string[] {
  const label = simulated === undefined ? '' : ` (simulated: ${simulated})`
  const words = ({ calls, tokens, costMicroUsd, ms }: PatternResult['cost']): string =>
    `${plural(calls, 'call')}, ${formatCount(tokens)} tokens, ${formatUsd(costMicroUsd)}, ${formatDuration(ms)}`
  const times = single.tokens === 0 ? '' : `, ${(cost.tokens / single.tokens).toFixed(1)} × the tokens`
  return [
    `- together: ${words(cost)}${times}${label}`,
    `- the first answer alone: ${words(single)}${label}`,
    ...(settled === 0 ? [] : [`- ${plural(settled, 'step')} not needed`]),
    `- ${changed === undefined ? 'whether it changed the answer cannot be told from the texts' : changed ? 'it changed the answer' : 'the first answer alone would have been the same'}`,
  ]
}

const by = ({ provider, model }: SaidTurn): string => (provider === '' ? '' : ` · ${provider}/${model}`)

function absent({ reason, state }: SaidTurn): string {
  return reason === 'settled' ? '(not needed any more)' : `(no answer: ${reason ?? state})`
}

/** What a model writes stays in its quotation, whatever headings it has. */
const quoted = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n')

function oneHeading(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}
