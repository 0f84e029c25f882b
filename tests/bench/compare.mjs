// What moved between two results of benches.
//   node tests/bench/compare.mjs EARLIER.json LATER.json      exits 1 when something got worse
import { figure, printTable } from './lib/print.mjs'
import { compared, readResult, unmatched } from './lib/results.mjs'

const [earlier, later] = process.argv.slice(2)
if (later === undefined) fail('say two results: node tests/bench/compare.mjs EARLIER.json LATER.json')
const [before, after] = [read(earlier), read(later)]

const all = compared(before, after)
if (all.length === 0) fail(`${earlier} and ${later} have no figure in common`)
console.log(`before: ${before.at}, ${before.machine}\nafter:  ${after.at}, ${after.machine}`)
if (before.machine !== after.machine) console.log('two machines: read the ratios, not the rest')
const moved = all.filter(({ word }) => word !== 'same').sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
const percent = (change) => `${change > 0 ? '+' : ''}${figure(change * 100)} %`
const row = ({ name, unit, from, to, change, word, noise }) => [
  name,
  `${figure(from)} ${unit}`,
  `${figure(to)} ${unit}`,
  percent(change),
  `± ${figure((100 * Math.max(...noise)) / Math.abs(from || 1))} %`,
  word,
]
if (moved.length > 0) printTable(['moved', 'before', 'after', 'change', 'noise', ''], moved.map(row))
console.log(
  `${moved.length} of ${all.length} figures moved: by more than 5 %, and the intervals of the medians do not meet` +
    ' (1.57 × quartile distance ÷ √n; of fewer than five samples, all of them; of fewer than three, never).',
)
const { gone, fresh } = unmatched(before, after)
if (gone.length + fresh.length > 0) console.log(`not compared: ${gone.length} only before, ${fresh.length} only after`)
process.exitCode = moved.some(({ word }) => word === 'worse') ? 1 : 0

function read(path) {
  try {
    return readResult(path) ?? fail(`there is no ${path}`)
  } catch (error) {
    return fail(error.message)
  }
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
