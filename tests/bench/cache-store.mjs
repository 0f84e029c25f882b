// The cache's folder at N entries (default 100,000) of 2 KB with an embedding each:
//   node --expose-gc tests/bench/cache-store.mjs [N] [--quick]
// Prints what a put, opening, a look without and with news, a read, an embedding and a compaction take. The folder lies in the
// system's place for temporary files; its content is in the system's memory when it is read: a cold disk is not measured.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const words = process.argv.slice(2)
const count = Number(words.find((word) => /^\d+$/.test(word)) ?? (words.includes('--quick') ? 10_000 : 100_000))
const { openFileStore } = await import(at('dist/node/stores/file.js'))

const hex = (number) => number.toString(16).padStart(32, '0')
const text = 'The answer is a text of some length, é and 漢 included. '.repeat(17)
const entryOf = (number) => ({
  key: hex(number),
  scope: hex(number % 7),
  label: 'someone · provider/model',
  createdAt: 1_700_000_000_000 + number,
  expiresAt: 1_900_000_000_000,
  bytes: 2 * text.length,
  semantic: true,
  worth: { tokens: 500, microUsd: 120, ms: 2400 },
  prompt: `${number} ${text}`,
  answer: text,
})
const vector = new Float32Array(384).fill(1 / Math.sqrt(384))

const row = (what, value, unit) => console.log(`${what.padEnd(58)}${value.padStart(10)} ${unit}`)
async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}
const percentile = (times, share) => times.sort((a, b) => a - b)[Math.floor(times.length * share)]
async function each(what, times, work) {
  const all = []
  for (let turn = 0; turn < times; ++turn) all.push(1000 * (await timed(() => work(turn))))
  row(`${what}, p50`, percentile(all, 0.5).toFixed(0), 'µs')
  row(`${what}, p95`, percentile(all, 0.95).toFixed(0), 'µs')
}

await printMachine()
const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-bench-'))
try {
  let store = await openFileStore(folder)
  const filling = await timed(async () => {
    for (let from = 0; from < count; from += 100) {
      const some = Array.from({ length: Math.min(100, count - from) }, (_, of) => from + of)
      await Promise.all(some.map((number) => store.put(entryOf(number))))
      for (const number of some) store.keepEmbedding(hex(number), vector)
    }
  })
  row(`${count} puts and embeddings, 100 at once, each`, ((1000 * filling) / count).toFixed(1), 'µs')
  await each('a put alone', 1000, (turn) => store.put(entryOf(turn)))
  await store.close()

  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let heads = []
  row('open', (await timed(async () => void (store = await openFileStore(folder)))).toFixed(0), 'ms')
  row('the first look', (await timed(async () => void (heads = (await store.changes()).put))).toFixed(0), 'ms')
  if (heads.length !== count) throw new Error(`${heads.length} entries of ${count}`)
  heads = []
  const first = await timed(() => store.embedding(hex(1)))
  row('the first embedding: where each lies', first.toFixed(0), 'ms')
  globalThis.gc?.()
  row('memory for it', ((process.memoryUsage().rss - before) / 1e6).toFixed(0), 'MB')
  row('on disk', ((await store.size()) / 1e6).toFixed(0), 'MB')

  const random = (turn) => hex((turn * 7919) % count)
  await each('a look without news', 2000, () => store.changes())
  await each('a read', 2000, (turn) => store.read(random(turn)))
  await each('an embedding', 2000, (turn) => store.embedding(random(turn)))
  await each('an embedding that is not there', 2000, (turn) => store.embedding(hex(count + turn)))
  const other = await openFileStore(folder)
  await each("a put and another's look at it", 500, async (turn) => {
    await other.put(entryOf(count + turn))
    await store.changes()
  })
  await other.close()
  const everything = await timed(async () => {
    for (let number = 0; number < count; ++number) {
      await store.read(hex(number))
      await store.embedding(hex(number))
    }
  })
  row('every entry and embedding read, each pair', ((1000 * everything) / count).toFixed(1), 'µs')
  row('compaction', (await timed(() => store.compact())).toFixed(0), 'ms')
  await store.close()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
