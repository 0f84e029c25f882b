// Figures of a run as a file, and what moved between two of them.
//
//   { "version": 1, "at": ISO time, "machine": text, "figures": { "BENCH · NAME": { "unit", "better", "samples": [number …] } } }
//
// A figure is kept as a ratio to the floor of the same round wherever there is one: two runs never meet the same machine, and what slows
// one contestant of a round slows the other.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { machine, median } from './print.mjs'

/** Where figures are kept, as scripts/bench.mjs says; undefined: nowhere. */
const file = process.env.AETHERFLOW_BENCH_RESULT

/** Keeps a figure's samples. `better`: 'less' or 'more'. What is no number is left out. */
export function keep(bench, name, samples, unit, better = 'less') {
  const known = samples.filter(Number.isFinite)
  if (file === undefined || known.length === 0) return
  const result = readResult(file) ?? { version: 1, at: new Date().toISOString(), machine: machine(), figures: {} }
  result.figures[`${bench} · ${name}`] = { unit, better, samples: known }
  writeFileSync(`${file}.new`, JSON.stringify(result, undefined, 1))
  renameSync(`${file}.new`, file)
}

/** Keeps `value ÷ of`, round by round; where their numbers differ, of the median of `of`. */
export function keepRatio(bench, name, values, of, better = 'less') {
  const paired = values.length === of.length
  keep(
    bench,
    name,
    values.map((value, at) => value / (paired ? of[at] : median(of))),
    '×',
    better,
  )
}

/** Undefined: there is no such file. Throws a sentence when it is no result. */
export function readResult(path) {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
  let result
  try {
    result = JSON.parse(text)
  } catch {
    throw new Error(`${path} is no result of a bench: it is not JSON`)
  }
  const whole = (figure) => Array.isArray(figure?.samples) && figure.samples.length > 0
  if (result?.version !== 1 || typeof result.figures !== 'object' || !Object.values(result.figures).every(whole))
    throw new Error(`${path} is no result of a bench, or of another version`)
  return result
}

/** A smaller change is none, whatever the samples say: the order of functions in memory is worth as much. */
const leastChange = 0.05
/** Fewer samples have no quartiles to speak of. */
const fewest = 5
/** Fewer say nothing of how much they scatter: no figure of them moved. */
const least = 3

/** The interval of the median: 1.57 × the distance of the quartiles ÷ √n on both sides, as the notches of a box plot (McGill 1978). */
function interval(samples) {
  const sorted = [...samples].sort((a, b) => a - b)
  if (sorted.length < fewest) return [sorted[0], sorted.at(-1)]
  const at = (share) => {
    const place = share * (sorted.length - 1)
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
    return below + (above - below) * (place % 1)
  }
  const half = (1.57 * (at(0.75) - at(0.25))) / Math.sqrt(sorted.length)
  return [median(sorted) - half, median(sorted) + half]
}

/**
 * What became of each figure that both results have. It moved when its median changed by more than 5 % and the intervals of the two medians
 * do not meet; of fewer than five samples the interval is all of them, and of fewer than three nothing moved. `change`: of the median, −0.1 is a tenth less.
 */
export function compared(before, after) {
  return Object.entries(after.figures).flatMap(([name, now]) => {
    const then = before.figures[name]
    if (then === undefined) return []
    const [from, to] = [median(then.samples), median(now.samples)]
    const [[fromLow, fromHigh], [toLow, toHigh]] = [interval(then.samples), interval(now.samples)]
    const change = from === 0 ? (to === 0 ? 0 : Infinity) : to / from - 1
    const apart = toLow > fromHigh || toHigh < fromLow
    const enough = Math.min(then.samples.length, now.samples.length) >= least
    const moved = enough && apart && Math.abs(change) > leastChange
    const word = !moved ? 'same' : change < 0 === (now.better === 'less') ? 'better' : 'worse'
    return [{ name, unit: now.unit, from, to, change, word, noise: [(toHigh - toLow) / 2, (fromHigh - fromLow) / 2] }]
  })
}

/** Figures that only one of the results has. */
export function unmatched(before, after) {
  const missing = (one, other) => Object.keys(one.figures).filter((name) => other.figures[name] === undefined)
  return { gone: missing(before, after), fresh: missing(after, before) }
}
