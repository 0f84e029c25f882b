// What the semantic cache does with the development pairs: each text_a alone in an empty cache, then text_b asked.
//   node tests/bench/cache.mjs [--limit N | --all] [--model DIR|lexical] [--json]
// N pairs a file (default 400), evenly spread, and 30 of each category even so; --all takes 5–15 minutes the first time, for 64,000 texts; embeddings are kept below
// build/bench. Prints wrong answers served, hits and precision with Wilson's intervals of 95 %: ours at three shares, fixed cosines
// on the same vectors, vCache's rule; and both rules at equal hits. Data and model: AETHERFLOW_SHARED, or `shared` beside the project.
// The fit was made on a part of these pairs. What it is worth on parts that it has not seen, cache_eval prints.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'
import { vcacheServes } from './vcache.mjs'

const words = process.argv.slice(2)
const after = (name) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined)
const limit = words.includes('--all') ? Infinity : Number(after('--limit') ?? 400)
const shared = process.env.AETHERFLOW_SHARED ?? at('../shared')
const data = path.join(shared, 'data/cache')
const model = after('--model') ?? path.join(shared, 'models/all-MiniLM-L6-v2')
if (!existsSync(data) || (model !== 'lexical' && !existsSync(model))) {
  console.log(`skipped: no pairs or no model below ${shared}; set AETHERFLOW_SHARED`)
  process.exit(0)
}
const { judgePairs, readPairsFile } = await import(at('dist/node/cache/evaluate.js'))
const { cellOf, thresholds } = await import(at('dist/web/standard/cache/evaluation.js'))
const { spread } = await import(at('dist/web/standard/cache/pairs.js'))

const shares = [0.01, 0.02, 0.05]
/** Pairs of a category with fewer are told as the rest of their file. */
const leastOfFamily = 30

function sample(pairs) {
  const categories = new Map()
  for (const pair of pairs) {
    if (!categories.has(pair.category)) categories.set(pair.category, [])
    categories.get(pair.category).push(pair)
  }
  const most = Math.max(leastOfFamily, Math.floor(limit / categories.size))
  return [...categories.values()].flatMap((some) => spread(some, most))
}

async function readAll() {
  const files = readdirSync(data).filter((name) => name.endsWith('.tsv'))
  const read = files.map(async (name) => {
    const pairs = sample(await readPairsFile(path.join(data, name)))
    return pairs.map((pair) => ({ ...pair, file: name.replace('.tsv', '') }))
  })
  // No answer equivalence, says the folder's README. The same text is an exact hit and no feat of a semantic cache.
  const counts = ({ category, a, b }) => !/comparison|symmetric relations/i.test(category) && a.trim() !== b.trim()
  return (await Promise.all(read)).flat().filter(counts)
}

const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)}`
const rate = (found) =>
  found === null ? '–' : `${percent(found.value)} [${percent(found.low)}–${percent(found.high)}]`
function line(name, counts) {
  const { wrong, mustMiss, hits, shouldHit, wrongRate, hitRate, precision } = cellOf(counts)
  const cells = [`${wrong}/${mustMiss}`, rate(wrongRate), `${hits}/${shouldHit}`, rate(hitRate), rate(precision)]
  console.log(`${name.slice(0, 46).padEnd(48)}${cells.map((cell) => cell.padEnd(20)).join('')}`)
}
const head = (title) =>
  console.log(
    `\n${title.padEnd(48)}${['wrong', '% of must-miss', 'hits', '% of should-hit', '% right of served'].map((cell) => cell.padEnd(20)).join('')}`,
  )

function count(rows, served) {
  const counts = { mustMiss: 0, wrong: 0, shouldHit: 0, hits: 0 }
  for (const row of rows) {
    counts[row.pair.same ? 'shouldHit' : 'mustMiss'] += 1
    if (served(row)) counts[row.pair.same ? 'hits' : 'wrong'] += 1
  }
  return counts
}

function families(rows) {
  const all = new Map()
  for (const row of rows) {
    const name = `${row.pair.file}: ${row.pair.category}`
    all.set(name, [...(all.get(name) ?? []), row])
  }
  const result = new Map()
  for (const [name, some] of all) {
    const told = some.length >= leastOfFamily ? name : `${some[0].pair.file}: the rest`
    result.set(told, [...(result.get(told) ?? []), ...some])
  }
  return [...result].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Our rule with its bar moved until it serves as many of those that should hit, or nearly; undefined: guards leave fewer. */
function atHits(rows, wanted) {
  const open = rows.filter(({ judged }) => !judged[0].closed && Number.isFinite(judged[0].eta))
  const good = open.filter(({ pair }) => pair.same).map(({ judged }) => judged[0].eta)
  if (good.length < wanted || wanted === 0) return undefined
  const bar = good.sort((a, b) => b - a)[wanted - 1]
  const at = (least) => count(rows, ({ judged }) => !judged[0].closed && judged[0].eta >= least)
  const reached = at(bar)
  const higher = good.filter((eta) => eta > bar).at(-1)
  // Many may stand at one bar: then what lies above it says more.
  return reached.hits > 1.02 * wanted && higher !== undefined ? at(higher) : reached
}

function print(rows, about) {
  const hit = (share) => (row) => row.judged[share].kind !== 'miss'
  console.log(`${rows.length} pairs, ${about.model}, ${about.checksum?.slice(0, 12) ?? 'no file'}, ${about.runtime}`)
  head(`by family, share ${shares[0]}`)
  for (const [name, some] of families(rows)) line(name, count(some, hit(0)))
  head('all of them')
  for (const [index, share] of shares.entries()) line(`ours, maxWrongShare ${share}`, count(rows, hit(index)))
  for (const least of thresholds)
    line(
      `cosine ≥ ${least.toFixed(2)}`,
      count(rows, ({ score }) => score >= least),
    )
  head('at the hits of each cosine, our bar moved')
  for (const least of thresholds) {
    const peer = count(rows, ({ score }) => score >= least)
    const ours = atHits(rows, peer.hits)
    const name = `about as many as cosine ≥ ${least.toFixed(2)}`
    if (ours === undefined) console.log(`${name.padEnd(48)}our guards leave fewer than that`)
    else {
      line(name, ours)
      const fewer = ours.wrong === 0 ? `${peer.wrong} to none` : `${(peer.wrong / ours.wrong).toFixed(1)} times`
      console.log(`${''.padEnd(48)}wrong answers of the cosine ÷ ours: ${fewer}`)
    }
  }
  console.log('\nvCache’s rule: every entry learns for itself, from the pairs before with the same text_a')
  for (const delta of [0.01, 0.02]) {
    const { wrong, mustMiss, hits, shouldHit, entries } = vcacheServes(rows, delta)
    const each = ((mustMiss + shouldHit) / entries).toFixed(1)
    console.log(
      `  δ = ${delta}: expected to serve ${wrong.toFixed(1)} of ${mustMiss} that must miss, ${hits.toFixed(1)} of ${shouldHit} that should hit (${each} look-ups an entry; it needs 4 labels of its own before it may serve)`,
    )
  }
}

if (!words.includes('--json')) await printMachine()
const pairs = await readAll()
const rows = []
const begun = performance.now()
let told = begun
const onProgress = ({ texts, of }) => {
  if (performance.now() - told < 15_000) return
  told = performance.now()
  console.error(`${texts} of ${of} texts, ${Math.round((((told - begun) / texts) * (of - texts)) / 1000)} s left`)
}
const options = { model, keep: at('build/bench/cache-vectors'), onProgress }
const about = await judgePairs(pairs, shares, options, (pair, judged) =>
  rows.push({ pair, judged, score: judged[0].score }),
)
if (words.includes('--json')) {
  const ours = shares.map((share, index) => [share, cellOf(count(rows, ({ judged }) => judged[index].kind !== 'miss'))])
  console.log(JSON.stringify({ ...about, pairs: rows.length, ours: Object.fromEntries(ours) }))
} else print(rows, about)
