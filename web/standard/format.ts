/** Numbers and untrusted texts in the form that people read: the same on screens and in reports, in every locale. */
import type { CheckPart } from '../../bindings/check-port.js'

/**
 * What a terminal or a Markdown viewer could obey or be deceived by: control characters (ESC and C1 among them), bidi marks and
 * other invisible format characters, line and paragraph separators, lone surrogates. Joiners stay: emoji and scripts need them.
 */
const hostile = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
// The two joiners are meant one by one.
// eslint-disable-next-line no-misleading-character-class
const hostileInLines = /(?![\u200c\u200d\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** `text` on one line with every hostile character made visible (ESC becomes ␛, others �). Runs of white space become one space. */
export function oneLine(text: string): string {
  return text
    .replace(/[\t\n\r\s]+/g, ' ')
    .replace(hostile, visible)
    .trim()
}

/** As `oneLine`, but lines and tabs stay: for answers on a terminal. Works piece by piece. */
export function visibleText(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(hostileInLines, visible)
}

function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd'
}

/** `420 ms`, `1.2 s`, `2m 05s`, `1h 02m`; a dash for what was not measured. */
export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`
}

/** `12,345`: commas whatever the locale, so that reports compare. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `9,876`, `12.3k`, `4.5M`: for narrow columns. */
export function formatCompact(value: number): string {
  if (value < 10_000) return formatCount(value)
  if (value < 999_950) return `${(value / 1000).toFixed(1)}k`
  return `${(value / 1_000_000).toFixed(1)}M`
}

/** As `formatUsd`, of an event or a row; `~$0.0042` when part of it is at a price that was assumed. */
export function formatCost({
  costMicroUsd,
  priceAssumed,
}: {
  readonly costMicroUsd: number
  readonly priceAssumed?: boolean | undefined
}): string {
  return `${priceAssumed === true && costMicroUsd > 0 ? '~' : ''}${formatUsd(costMicroUsd)}`
}

/** Micro-USD as `$1.23`, `$0.0042` or, below a hundredth of a cent, `<$0.0001`. */
export function formatUsd(microUsd: number): string {
  if (microUsd === 0) return '$0'
  const usd = microUsd / 1_000_000
  if (microUsd < 100) return '<$0.0001'
  return usd < 1 ? `$${usd.toFixed(4)}` : `$${usd.toFixed(2)}`
}

/** Micro-USD without rounding: `$0.004213`. */
export function formatUsdExact(microUsd: number): string {
  return `$${(microUsd / 1_000_000).toFixed(6)}`
}

/** A share of 0–1 as `97.5 %`; a dash when unknown. */
export function formatShare(share: number | null): string {
  return share === null ? '–' : `${Number((share * 100).toFixed(1))} %`
}

/** The label that every figure of a simulated run carries; empty for a real one. */
export function simulatedLabel(profile: string | undefined): string {
  return profile === undefined ? '' : ` (simulated: ${oneLine(profile)})`
}

/** `1 step`, `2 steps`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** Names of the measured times as people say them. */
export const metricWords = {
  firstToken: 'time to first token',
  response: 'time to response',
  queue: 'queue time',
  network: 'network overhead',
} as const

/** A table in Markdown; cells are Markdown already. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

/**
 * Untrusted text as Markdown that shows it and does nothing: no markup, no HTML, no cell border, no control character.
 * Underscores inside words stay: they mark nothing, and ids are full of them. Addresses do not become links.
 */
export function markdownText(text: string): string {
  return oneLine(text)
    .replace(/[\\`*~[\]|!#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\b(https?|ftp|mailto|www)([:.])/gi, '$1\\$2')
}

/** What was found in the documents for a step. */
export function documentWords(sections: number, abstained: 'nothing' | 'unsure' | undefined): string {
  if (sections > 0) return `${plural(sections, 'section')} of the documents`
  return abstained === 'unsure' ? 'nothing sure in the documents' : 'nothing in the documents'
}

/** What was checked of an answer: `syntax, tests 5/5`; of a failure what failed. */
export function checkWords(parts: readonly CheckPart[]): string {
  const words = parts.map(({ kind, outcome, why, passed, total, weak }) => {
    if (outcome === 'fail') return why ?? `${kind} failed`
    if (outcome === 'skipped') return `${kind} skipped${why === undefined ? '' : ` (${why})`}`
    const counted = total === undefined ? kind : `${kind} ${passed ?? 0}/${total}`
    return weak === true ? `${counted} (they pass with it removed or changed too)` : counted
  })
  return words.join(', ')
}
