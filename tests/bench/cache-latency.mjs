// What a look-up in the semantic cache takes, p50 and p95, in Node over a folder, split into its parts:
//   node tests/bench/cache-latency.mjs [--quick | --large]
// 1,000, 10,000 and 100,000 entries of one scope (--quick: without the last; --large: 1,000,000 too, for the search alone). Vectors
// are made up, 384 dimensions, so that embedding takes no time in those rows; tokenising and embedding with the real model are
// printed apart for both runtimes (AETHERFLOW_SHARED, or `shared` beside the project; AETHERFLOW_MODULES names a folder with
// onnxruntime-node), and the look-ups as a part of one embedding. The search alone stands beside a plain loop over a Float32Array
// and beside the time in which the memory hands over the same vectors as float32 (memcmp of two buffers), turn by turn in one run:
// each finds the processor's caches full of the others' data.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const words = process.argv.slice(2)
const sizes = [1000, 10_000, ...(words.includes('--quick') ? [] : [100_000])]
const searchSizes = [...sizes, ...(words.includes('--large') ? [1_000_000] : [])]
const { SemanticCache } = await import(at('dist/node/cache/semantic-cache.js'))
const { FileStore } = await import(at('dist/node/stores/file.js'))
const { openEmbedder } = await import(at('dist/node/embed/index.js'))
const { loadCache } = await import(at('dist/node/loader.js'))
const { CacheCore, defaultLimits } = await import(at('dist/bindings/cache/core.js'))
const { module, data } = await loadCache()
const dimensions = 384
/** A file whose fit is known, so that candidates are judged. */
const checksum = Object.keys(data.models)[0]

/** Numbers that are the same each time. */
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  }
}
function unit(seed, near, by = 0) {
  const next = random(seed * 2654435761)
  const vector = Float32Array.from({ length: dimensions }, (_, i) =>
    near === undefined ? next() : near[i] + by * next(),
  )
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}

const stored = (number) => `How do I configure part ${number} of the web server?`
const reworded = (number) => `How can I configure part ${number} of the web server?`
const other = (number, turn) => `Compare part ${number} of the pipeline with its ${turn} neighbours.`

/** Vectors by the number in the text; rewordings lie near. */
const madeUp = {
  ...{ name: 'made-up', dimensions, runtime: 'none' },
  preload: async () => {},
  checksum: async () => checksum,
  async embed(text) {
    const number = Number(/\d+/.exec(text)[0])
    const base = unit(number + 1)
    const vector = text.startsWith('How do')
      ? base
      : text.startsWith('How can')
        ? unit(number + 7, base, 0.01)
        : unit(number + 9e6)
    return { vector, pieces: 12, tokenizeMs: 0, embedMs: 0 }
  },
  close: async () => {},
}

const percentile = (times, share) =>
  times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))]
const ms = (value) => (value < 0.1 ? `${(1000 * value).toFixed(1)} µs` : `${value.toFixed(2)} ms`)
const row = (what, times, note = '') =>
  console.log(
    `${what.padEnd(52)}${ms(percentile(times, 0.5)).padStart(12)}${ms(percentile(times, 0.95)).padStart(12)}  ${note}`,
  )
async function measure(count, work) {
  const times = []
  for (let turn = 0; turn < count; ++turn) {
    const begun = performance.now()
    await work(turn)
    times.push(performance.now() - begun)
  }
  return times
}
const head = (title) => console.log(`\n${title.padEnd(52)}${'p50'.padStart(12)}${'p95'.padStart(12)}`)
/** Spread over the entries. */
const pick = (turn, of) => (turn * 7919) % of

async function lookUps(count) {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-latency-'))
  const scope = { tenant: 't', provider: 'p', model: 'm' }
  const open = () => SemanticCache.open({ dir: folder, model: madeUp, maxWrongShare: 0.05, limits: { bytes: 2 ** 32 } })
  try {
    let cache = await open()
    for (let number = 0; number < count; ++number) await cache.put({ prompt: stored(number), answer: 'A', scope })
    await cache.close()
    const begun = performance.now()
    cache = await open()
    const opened = performance.now() - begun
    await cache.get({ prompt: other(0, 'first'), scope })
    head(`${count.toLocaleString('en')} entries in a folder`)
    console.log(`  opened in ${ms(opened)}, first look-up (vectors read) after ${ms(performance.now() - begun)}`)
    const kinds = {}
    const medians = {}
    const get = (label, prompt, times = 400) =>
      measure(times, async (turn) => {
        const { kind } = await cache.get({ prompt: prompt(turn), scope })
        kinds[label] = { ...kinds[label], [kind]: (kinds[label]?.[kind] ?? 0) + 1 }
      })
    const say = (label) =>
      Object.entries(kinds[label])
        .map(([kind, number]) => `${number} ${kind}`)
        .join(', ')
    for (const [label, prompt] of [
      ['exact hit', (turn) => stored(pick(turn, count))],
      ['new text, all but the embedding', (turn) => other(pick(turn, count), turn)],
      ['text seen before', (turn) => other(pick(turn % 100, count), turn % 100)],
      ['reworded, all but the embedding', (turn) => reworded(pick(turn, count))],
    ]) {
      await get(`${label} (warm)`, prompt, 20)
      const times = await get(label, prompt)
      medians[label] = percentile(times, 0.5)
      row(`  ${label}`, times, say(label))
    }
    const [exact, fresh, seen] = Object.values(medians)
    lookUpMedians.set(count, { exact, fresh, seen })
    row('  put', await measure(200, (turn) => cache.put({ prompt: stored(count + turn), answer: 'A', scope })))
    const heads = await cache.list()
    await cache.close()
    const store = new FileStore(folder)
    await store.open()
    await store.changes()
    row('  of it, the store: a read', await measure(400, (turn) => store.read(heads[pick(turn, heads.length)].key)))
    await store.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function coreWith(vectors, count) {
  const limits = { ...defaultLimits, entries: 2_000_000, bytes: 2 ** 40 }
  const core = new CacheCore(module, data, { dimensions, checksum, limits, secret: '0'.repeat(32) })
  const scope = core.scopeKey({})
  const space = core.spaceKey(scope, 'made-up', checksum)
  const answer = { bytes: 1, ttlMs: 1e9, whole: true, failed: false, holds: true, empty: false }
  for (let number = 0; number < count; ++number) {
    const { id } = core.put(number.toString(16).padStart(32, '0'), scope, answer, 0)
    core.insert(space, id, vectors.subarray(number * dimensions, (number + 1) * dimensions))
  }
  return { core, space }
}

/** The eight best by a loop that anybody would write. */
function plainLoop(vectors, count, query) {
  const best = []
  for (let number = 0; number < count; ++number) {
    let sum = 0
    for (let i = 0, from = number * dimensions; i < dimensions; ++i) sum += vectors[from + i] * query[i]
    if (best.length < 8 || sum > best[7][0]) {
      best.push([sum, number])
      best.sort((a, b) => b[0] - a[0])
      best.length = Math.min(best.length, 8)
    }
  }
  return best
}

function searches(count) {
  const vectors = new Float32Array(count * dimensions)
  const next = random(count)
  for (let number = 0; number < count; ++number) {
    const part = vectors.subarray(number * dimensions, (number + 1) * dimensions)
    let squares = 0
    for (let i = 0; i < dimensions; ++i) squares += (part[i] = next()) ** 2
    for (let i = 0; i < dimensions; ++i) part[i] /= Math.sqrt(squares)
  }
  const { core, space } = coreWith(vectors, count)
  const bytes = Buffer.from(vectors.buffer)
  const half = bytes.length >> 1
  // Equal halves: read to their ends.
  const equal = Buffer.concat([bytes.subarray(0, half), bytes.subarray(0, half)])
  const times = { core: [], loop: [], memory: [] }
  const rounds = count >= 1e6 ? 5 : count >= 1e5 ? 15 : 60
  for (let turn = 0; turn < rounds; ++turn) {
    const query = unit(
      turn,
      vectors.subarray(pick(turn, count) * dimensions, (pick(turn, count) + 1) * dimensions),
      0.05,
    )
    const timed = (name, work) => {
      const begun = performance.now()
      const result = work()
      times[name].push(performance.now() - begun)
      return result
    }
    const ours = timed('core', () => core.nearest(space, query, 8, -1))
    const loop = timed('loop', () => plainLoop(vectors, count, query))
    timed('memory', () => equal.compare(equal, half, 2 * half, 0, half))
    if (Math.abs(ours[0].score - loop[0][0]) > 1e-5) throw new Error('the search found another one than the loop')
  }
  const middle = (name) => percentile(times[name], 0.5)
  const ratio = (name) => `${(middle(name) / middle('core')).toFixed(1)} × ours`
  row(
    `  ${count.toLocaleString('en')}: ours, eight nearest`,
    times.core,
    `${(core.vectorBytes() / count).toFixed(0)} bytes an entry`,
  )
  row('    plain loop in JavaScript', times.loop, ratio('loop'))
  row('    the memory hands over the float32 vectors', times.memory, ratio('memory'))
  core.dispose()
}

/** Median of a whole embedding by runtime, through openEmbedder with its thread. */
const embeddings = new Map()
/** Medians of look-ups by number of entries and kind. */
const lookUpMedians = new Map()

async function embedding(runtime) {
  const model = path.join(process.env.AETHERFLOW_SHARED ?? at('../shared'), 'models/all-MiniLM-L6-v2')
  if (!existsSync(model)) return console.log(`\nskipped, embedding: no model in ${model}; set AETHERFLOW_SHARED`)
  const { core } = coreWith(new Float32Array(0), 0)
  const pool = (...states) => core.pool(...states)
  const embedder = await openEmbedder(model, { pool, runtime, modulesFrom: process.env.AETHERFLOW_MODULES })
  try {
    await embedder.preload()
    head(`embedding, apart: ${embedder.name}, ${embedder.runtime}`)
    const [tokenise, embed, whole] = [[], [], []]
    for (let turn = 0; turn < 60; ++turn) {
      const begun = performance.now()
      const { tokenizeMs, embedMs } = await embedder.embed(stored(turn))
      whole.push(performance.now() - begun)
      tokenise.push(tokenizeMs)
      embed.push(embedMs)
    }
    row('  tokenise, 14 pieces', tokenise)
    row('  embed and pool', embed)
    row('  both, with the way to its thread and back', whole)
    embeddings.set(runtime, percentile(whole, 0.5))
  } catch (error) {
    console.log(`\nskipped, ${runtime}: ${error.message}; AETHERFLOW_MODULES names a folder that has it`)
  } finally {
    await embedder.close()
    core.dispose()
  }
}

/** A look-up of each kind as a part of one embedding: what is new is embedded once, everything else is on top or instead. */
function ratios() {
  for (const [runtime, alone] of embeddings) {
    console.log(`\nlook-ups, medians, ÷ one embedding with ${runtime} (${ms(alone)})`)
    console.log(`${'  entries'.padEnd(24)}${['exact', 'text seen', 'new text'].map((it) => it.padStart(12)).join('')}`)
    for (const [count, { exact, seen, fresh }] of lookUpMedians) {
      const cells = [exact / alone, seen / alone, (fresh + alone) / alone]
      const told = cells.map((value) => value.toFixed(3).padStart(12)).join('')
      console.log(`  ${count.toLocaleString('en')}`.padEnd(24) + told)
    }
  }
}

async function guards() {
  const { core } = coreWith(new Float32Array(0), 0)
  const candidates = Array.from({ length: 8 }, (_, id) => ({ id, score: 0.95, prompt: stored(id) }))
  const options = { mode: 'semantic', maxWrongShare: 0.01, floor: 0, insideWindow: true }
  head('the decision')
  const decide = (turn) => core.decide(reworded(100 + turn), candidates, options)
  await measure(50, decide)
  row('  guards over eight candidates, all vetoed', await measure(500, decide))
  row(
    '  keys of a scope and a request',
    await measure(500, (turn) => core.requestKey(core.scopeKey({ tenant: 't' }), stored(turn))),
  )
  core.dispose()
}

await printMachine()
await guards()
for (const runtime of ['onnxruntime-web', 'onnxruntime-node']) await embedding(runtime)
for (const count of sizes) await lookUps(count)
ratios()
head('the search alone, in WebAssembly')
for (const count of searchSizes) searches(count)
const node = Number(process.versions.node.split('.')[0])
console.log(
  `\nskipped, usearch: ${node < 22 ? `its package asks for Node 22 or later, this is ${node}` : 'not compared yet'}`,
)
