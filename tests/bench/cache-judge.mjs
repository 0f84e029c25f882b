// What the judge tier (`judge: 'auto'`) makes of labelled pairs: each text_a alone in an empty cache, then text_b asked.
//   node tests/bench/cache-judge.mjs FOLDER…
// FOLDER: what cache-embed.mjs wrote. The judge is simulated: it knows the label of each pair and says the opposite in a share of its
// replies, drawn anew for each order. Every question is a run of one step on the simulator. Without a judge, then with 0, 5 and 10 %
// of errors: wrong answers served, rewordings served (means over the families), questions for 100 look-ups, what they cost for each
// answer that they served, beside an answer of 500 tokens of the dearest model.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const { SemanticCache } = await import(at('dist/node/cache/semantic-cache.js'))
const { judgePrompt } = await import(at('dist/web/standard/cache/judge.js'))
const { simulatorProfiles } = await import(at('dist/web/standard/simulator/index.js'))
const dimensions = 384
const answer = 'The answer.'
const worth = { tokens: 500, microUsd: 5000, ms: 6000 }

function readFolder(folder) {
  const read = (name) => readFileSync(path.join(folder, name), 'utf8')
  const bytes = readFileSync(path.join(folder, 'vectors.f32'))
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  const texts = read('texts.txt').split('\n').slice(0, -1)
  const vectors = new Map(texts.map((text, i) => [text, all.subarray(i * dimensions, (i + 1) * dimensions)]))
  const rows = read('pairs.tsv').split('\n').filter(Boolean)
  const pairs = rows
    .map((row) => row.split('\t'))
    .map(([label, family, a, b]) => ({ same: label === '1', family, a, b }))
  return { pairs, embedder: embedderOf(vectors, read('model.txt').trim()) }
}

const embedderOf = (vectors, checksum) => ({
  ...{ name: 'kept', dimensions, runtime: 'none', preload: async () => {}, close: async () => {} },
  checksum: async () => checksum,
  embed: async (text) => ({ vector: vectors.get(text), pieces: 12, tokenizeMs: 0, embedMs: 0 }),
})

function simulated({ same, a, b }, errors) {
  const [right, wrong] = same ? ['yes', 'no'] : ['no', 'yes']
  const task = (one, other) => judgePrompt(one, other, answer).split('\n').slice(1, 3).join('\n')
  const answers = [task(a, b), task(b, a)].map((text) => ({ task: text, right, wrong }))
  return { ...simulatorProfiles.instant, known: { answers, wrongShare: errors } }
}

async function play(pairs, embedder, errors) {
  const families = new Map()
  const judge = { asked: 0, microUsd: 0, yes: 0 }
  for (const pair of pairs) {
    const options = errors === undefined ? {} : { judge: 'auto', judgeWith: { simulate: simulated(pair, errors) } }
    const cache = await SemanticCache.open({ ...options, model: embedder })
    await cache.put({ prompt: pair.a, answer, worth })
    const { kind } = await cache.get({ prompt: pair.b })
    const stats = cache.stats().judge
    await cache.close()
    for (const name of Object.keys(judge)) judge[name] += stats[name]
    const counts = families.get(pair.family) ?? { miss: [0, 0], hit: [0, 0] }
    const count = pair.same ? counts.hit : counts.miss
    count[0] += kind === 'miss' ? 0 : 1
    count[1] += 1
    families.set(pair.family, counts)
  }
  const mean = (of) => {
    const rates = [...families.values()].map(of).filter(([, all]) => all > 0)
    return (100 * rates.reduce((sum, [some, all]) => sum + some / all, 0)) / rates.length
  }
  const told = errors === undefined ? 'no judge' : `${100 * errors} % of errors`
  const asked = (100 * judge.asked) / pairs.length
  const cost = judge.yes === 0 ? '–' : (judge.microUsd / judge.yes).toFixed(0)
  console.log(
    `  ${told.padEnd(16)} wrong ${mean(({ miss }) => miss)
      .toFixed(2)
      .padStart(6)} %   hits ${mean(({ hit }) => hit)
      .toFixed(1)
      .padStart(
        5,
      )} %   asked ${asked.toFixed(1).padStart(5)} of 100   ${cost} micro-USD an answer served (an answer: ${worth.microUsd})`,
  )
}

const folders = process.argv.slice(2)
if (folders.length === 0) console.log('skipped: cache-judge.mjs FOLDER…, folders of cache-embed.mjs')
else await printMachine()
for (const folder of folders) {
  const { pairs, embedder } = readFolder(folder)
  console.log(`\n${path.basename(folder)}: ${pairs.length} pairs, maxWrongShare 0.01, simulated judge`)
  for (const errors of [undefined, 0, 0.05, 0.1]) await play(pairs, embedder, errors)
}
