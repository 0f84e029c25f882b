/** `aetherflow cache evaluate PAIRS.tsv…`: what the cache would have done on somebody's own pairs, beside fixed thresholds. */
import { formatCount, formatDuration, oneLine, plural } from '../../../web/standard/format.js'
import type { Cell, Rate } from '../../../web/standard/cache/evaluation.js'
import { outcomeOf, outcomes, type Outcome } from '../../../web/standard/cache/outcomes.js'
import type { JudgedPair } from '../../../web/standard/cache/pair-judge.js'
import type { Pair } from '../../../web/standard/cache/pairs.js'
import { userCacheFolder } from '../../folders.js'
import { evaluatePairs, readPairsFile, type EvaluationProgress, type EvaluationResult } from '../../cache/evaluate.js'
import { readConfig } from '../../config.js'
import { pulledModel } from '../cache-place.js'
import { paint, type Paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'
import { outcomeWords, verdictWords } from '../verdict-words.js'

export interface EvaluateFlags {
  readonly model?: string
  readonly share?: number
  readonly limit?: number
  readonly show?: number
  readonly missed?: number
  readonly json?: true
  readonly config?: string
  /** False: `--no-keep`. */
  readonly keep: boolean
}

interface ShownPair extends Pair {
  readonly score: number
  readonly why: string
  readonly outcome: Outcome
}
/** Answers served that were wrong, and rewordings that were not served. */
interface ShownPairs {
  readonly wrong: ShownPair[]
  readonly missed: ShownPair[]
}

/** Time between two lines of progress on what is no terminal, ms. */
const plainEvery = 10_000
const liveEvery = 100
const mostCategories = 30

export async function cacheEvaluate(files: readonly string[], flags: EvaluateFlags, host: Host): Promise<ExitCode> {
  const { cache = {} } = await readConfig(flags.config)
  const pairs = (await Promise.all(files.map((file) => readPairsFile(file)))).flat()
  const shown: ShownPairs = { wrong: [], missed: [] }
  const progress = new Progress(host)
  let result: EvaluationResult
  try {
    result = await evaluatePairs(pairs, {
      model: flags.model ?? cache.model ?? pulledModel(host.env),
      maxWrongShare: flags.share ?? cache.maxWrongShare,
      limit: flags.limit,
      keep: flags.keep ? userCacheFolder(host.env, 'evaluate') : undefined,
      signal: host.signal,
      onProgress: (at) => progress.tell(at),
      onPair: (pair, judged) => remember(shown, pair, judged, flags),
    })
  } catch (error) {
    progress.end()
    if (!host.signal.aborted) throw error
    host.stderr.write('interrupted: what was embedded is kept for the next time\n')
    return exitCodes.interrupted
  }
  progress.end()
  const { stdout } = host
  if (flags.json) {
    const wrong = flags.show === undefined ? {} : { wrongPairs: shown.wrong }
    const missed = flags.missed === undefined ? {} : { missedPairs: shown.missed }
    stdout.write(`${asciiControls(JSON.stringify({ ...result, ...wrong, ...missed }))}\n`)
  } else stdout.write(`${evaluationLines(result, shown, paint(stdout, host.env), stdout.columns ?? 120).join('\n')}\n`)
  return exitCodes.ok
}

function remember(
  { wrong, missed }: ShownPairs,
  pair: Pair,
  { kind, score, why, closed }: JudgedPair,
  { show = 0, missed: mostMissed = 0 }: EvaluateFlags,
): void {
  const served = kind !== 'miss'
  const list = pair.same ? missed : wrong
  if (served === pair.same || list.length >= (pair.same ? mostMissed : show)) return
  list.push({ ...pair, score, why, outcome: outcomeOf({ served, why, closed }) })
}

export function evaluationLines(
  result: EvaluationResult,
  { wrong, missed }: ShownPairs,
  colours: Paint,
  columns: number,
): string[] {
  const { categories, pooled, thresholds, shares, reasons, model, checksum, runtime, maxWrongShare, pairs } = result
  const sum = checksum === null ? '' : `, ${checksum.slice(0, 12)}…`
  const size = (name: string): number => (categories[name]?.mustMiss ?? 0) + (categories[name]?.shouldHit ?? 0)
  // The largest; equal ones as they come.
  const names = Object.keys(categories).sort((a, b) => size(b) - size(a))
  const shown = names.slice(0, mostCategories)
  const rows = shown.map((name) => [oneLine(name), ...cells(categories[name])])
  const left = names.length > shown.length ? [`… ${formatCount(names.length - shown.length)} more: --json`] : []
  const rules = [
    [`this cache (${percent(maxWrongShare)})`, ...cells(pooled)],
    ...Object.entries(shares)
      .filter(([share]) => Number(share) !== maxWrongShare)
      .map(([share, cell]) => [`this cache at ${percent(Number(share))}`, ...cells(cell)]),
    ...Object.entries(thresholds).map(([least, table]) => [`cosine ≥ ${least}`, ...cells(table.pooled)]),
  ]
  const heads = ['wrong served', 'rewordings served', 'right of served']
  return [
    `${colours.bold(plural(pairs, 'pair'))}, compared by ${oneLine(model)}${sum} ${colours.dim(`(${oneLine(runtime)})`)}`,
    '',
    ...alignedTable(['category', ...heads], rows, columns),
    ...left,
    '',
    ...alignedTable(['all of them', ...heads], rules, columns),
    '',
    ...reasonLines(reasons, columns),
    '',
    ...meaning(pooled),
    ...otherShare(result),
    ...shownLines('served, and wrong', wrong, colours),
    ...shownLines('rewordings that were not served', missed, colours),
  ]
}

/** `3/200 = 1.5 % [0.5–4.3]`, and so on; a dash where there was nothing. */
function cells(cell: Cell | undefined): string[] {
  if (cell === undefined) return []
  const { wrong, mustMiss, hits, shouldHit, wrongRate, hitRate, precision } = cell
  return [rate(wrong, mustMiss, wrongRate), rate(hits, shouldHit, hitRate), rate(hits, hits + wrong, precision)]
}

const rate = (count: number, of: number, found: Rate | null): string =>
  found === null ? '–' : `${formatCount(count)}/${formatCount(of)} = ${interval(found)}`
const interval = ({ value, low, high }: Rate): string => `${percent(value)} [${number(low)}–${number(high)}]`
const number = (share: number): string => String(Number((share * 100).toFixed(1)))
const percent = (share: number): string => `${number(share)} %`

/** What became of the pairs, and within that what the guards said of them. */
function reasonLines(reasons: EvaluationResult['reasons'], columns: number): string[] {
  const rows = outcomes.flatMap((outcome) =>
    Object.entries(reasons).flatMap(([guard, reason]) => {
      const counts = reason.outcomes[outcome]
      if (counts === undefined) return []
      const { mustMiss, shouldHit } = counts
      return [
        [formatCount(mustMiss), formatCount(shouldHit), outcomeWords[outcome], verdictWords(guard), oneLine(guard)],
      ]
    }),
  )
  return alignedTable(['must miss', 'should hit', '', 'what the guards say', ''], rows, columns)
}

/** "At 5 % 12 more rewordings would have been served, and 3 more wrong answers." */
function otherShare({ shares, pooled, maxWrongShare }: EvaluationResult): string[] {
  const [share, most] = Object.entries(shares).at(-1) ?? []
  if (share === undefined || most === undefined || Number(share) <= maxWrongShare) return []
  const more = most.hits - pooled.hits
  const wrong = most.wrong - pooled.wrong
  if (more === 0 && wrong === 0) return [`At ${percent(Number(share))} nothing more would have been served.`]
  return [
    `At ${percent(Number(share))} you would have had ${plural(more, 'hit')} more, and ${plural(wrong, 'wrong answer')} more.`,
  ]
}

/** What the figures mean for somebody who thinks of switching it on. */
function meaning({ wrong, hits, hitRate, mustMiss, shouldHit, precision }: Cell): string[] {
  const share =
    shouldHit === 0 ? '' : `of 100 rewordings, ${number(hitRate?.value ?? 0)} would have been answered without a call`
  if (precision === null) return ['Nothing would have been served.']
  if (mustMiss === 0) return [`There is no pair here that must miss, so nothing is said of wrong answers; ${share}.`]
  const error = number(1 - precision.value)
  const range = `${number(1 - precision.high)} to ${number(1 - precision.low)}`
  const lines = [
    `Of 100 answers served, ${error} would have been wrong (${range} with 95 % confidence)${share === '' ? '' : `; ${share}`}.`,
  ]
  if (wrong + hits < 300)
    lines.push('With so few served, take the wide end of the interval seriously: more pairs say more.')
  lines.push(
    'That holds for this mixture of pairs: where most questions are new ones, fewer of those served are right.',
  )
  return lines
}

function shownLines(title: string, pairs: readonly ShownPair[], colours: Paint): string[] {
  if (pairs.length === 0) return []
  return [
    '',
    colours.yellow(title),
    ...pairs.flatMap(({ category, a, b, score, why, outcome }) => [
      `  ${oneLine(category)}, ${Number.isFinite(score) ? `cosine ${score.toFixed(3)}` : 'no cosine'}; ${outcomeWords[outcome]}: ${verdictWords(why)}`,
      `    stored ${oneLine(a)}`,
      `    asked  ${oneLine(b)}`,
    ]),
  ]
}

/** On standard error: one line that changes on a terminal, one now and then elsewhere. Nothing when it is quick. */
class Progress {
  readonly #host: Host
  readonly #begun: number
  #told: number
  #line = false

  constructor(host: Host) {
    this.#host = host
    this.#begun = this.#told = host.clock.now()
  }

  tell({ texts, embedded, of }: EvaluationProgress): void {
    const { stderr, clock } = this.#host
    const now = clock.now()
    const live = stderr.isTTY === true
    if (now - this.#told < (live ? liveEvery : plainEvery) || texts === of) return
    this.#told = now
    const left = ((now - this.#begun) / texts) * (of - texts)
    const words = `${formatCount(texts)} of ${formatCount(of)} texts, ${formatCount(embedded)} embedded, ${formatDuration(left)} left`
    stderr.write(live ? `\r\u001b[K${words}` : `${words}\n`)
    this.#line = live
  }

  end(): void {
    if (this.#line) this.#host.stderr.write('\r\u001b[K')
    this.#line = false
  }
}
