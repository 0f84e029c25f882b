// What an embedding costs: `npm run bench embed-speed`, or node tests/bench/embed-speed.mjs [--quick]
// For each model file and each runtime that is there: checksum and load, then tokenising and embedding a question of 12 pieces and
// a text of 250, p50 and p95 in ms, through openEmbedder (a thread of its own) and, beside it, a bare session in this thread.
// onnxruntime-node is no dependency: AETHERFLOW_MODULES names a folder whose node_modules have it. Model: AETHERFLOW_SHARED, or the
// folder `shared` beside the project. Last, how far the vectors of the files and runtimes lie apart.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEmbedder } from '../../dist/node/embed/index.js'
import { runtimeCandidates } from '../../dist/node/embed/runtimes.js'
import { charactersAPiece, makeTokeniser } from '../../dist/web/standard/embed/pieces.js'
import { ortRuntime } from '../../dist/web/standard/embed/runtime.js'

const quick = process.argv.includes('--quick')
const shared = process.env.AETHERFLOW_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
const folder = path.join(shared, 'models/all-MiniLM-L6-v2')
if (!existsSync(folder)) {
  console.log(`skipped: no development model in ${folder}; set AETHERFLOW_SHARED`)
  process.exit(0)
}
const modulesFrom = process.env.AETHERFLOW_MODULES

// A text is never embedded twice by a cache, and neither here: the number keeps them apart.
const question = (i) => `How do I reset the password of user ${100 + (i % 900)}?`
const longText = (i) =>
  `Note ${100 + (i % 900)}: ${'the team has to agree on a plan before it starts to work. '.repeat(17)}`.trim()
const sizes = [
  { name: 'question', text: question, rounds: quick ? 20 : 200 },
  { name: 'long text', text: longText, rounds: quick ? 5 : 40 },
]

const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)]
const ms = (value) => value.toFixed(value < 1 ? 3 : 1).padStart(8)
const both = (values) => `${ms(quantile(values, 0.5))} ${ms(quantile(values, 0.95))}`
const timed = async (work) => {
  const begun = performance.now()
  const result = await work()
  return { took: performance.now() - begun, result }
}

const json = async (name) => JSON.parse(await readFile(path.join(folder, name), 'utf8'))
const tokenise = await makeTokeniser({
  tokenizer: await json('tokenizer.json'),
  config: await json('tokenizer_config.json'),
})

async function bareSession(runtime, file) {
  const [candidate] = runtimeCandidates({ runtime, modulesFrom })
  const module = await import(candidate.module)
  return ortRuntime(module.default ?? module, runtime).open(await readFile(file))
}

async function measure(runtime, name) {
  const file = path.join(folder, name)
  const embedder = await openEmbedder(file, { runtime, modulesFrom })
  const checksum = await timed(() => embedder.checksum())
  const load = await timed(() => embedder.preload())
  const session = await bareSession(runtime, file)
  console.log(`\n${embedder.runtime}, ${name}: checksum ${ms(checksum.took)} ms, load ${ms(load.took)} ms`)
  console.log('                         pieces   tokenise p50, p95    embed p50, p95    bare session p50, p95')
  for (const { name: size, text, rounds } of sizes) {
    const found = []
    const bare = []
    for (let i = 0; i < rounds; i++) {
      // In turns: what else the machine does meets both.
      found.push(await embedder.embed(text(i)))
      const ids = Int32Array.from(tokenise(text(i)))
      bare.push((await timed(() => session.run(ids))).took)
    }
    const columns = [found.map((each) => each.tokenizeMs), found.map((each) => each.embedMs), bare].map(both)
    console.log(`  ${size.padEnd(20)} ${String(found[0].pieces).padStart(8)} ${columns.join('  ')}`)
  }
  const vectors = []
  for (let i = 0; i < 20; i++) vectors.push((await embedder.embed(question(i))).vector)
  await session.close()
  await embedder.close()
  return { label: `${embedder.runtime}, ${name}`, vectors }
}

/** Of pairs: what a decision sees of another file or runtime. */
function apart(a, b) {
  const cosine = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0)
  let most = 0
  for (let i = 0; i < a.length; i++) {
    for (let k = 0; k < i; k++) most = Math.max(most, Math.abs(cosine(a[i], a[k]) - cosine(b[i], b[k])))
  }
  return most
}

console.log(`one text at a time, one thread; ${process.version}`)
const results = []
for (const runtime of ['onnxruntime-node', 'onnxruntime-web']) {
  try {
    runtimeCandidates({ runtime, modulesFrom })
  } catch {
    console.log(`\nskipped: ${runtime} is not installed; AETHERFLOW_MODULES names a folder that has it`)
    continue
  }
  for (const file of ['model_w8.onnx', 'model_quantized.onnx']) results.push(await measure(runtime, file))
}

console.log('\nlargest difference of a pair’s cosine, over 190 pairs of questions')
for (const [i, { label, vectors }] of results.entries())
  for (const other of results.slice(i + 1))
    console.log(`  ${apart(vectors, other.vectors).toFixed(6)}  ${label} – ${other.label}`)

const worst = `${'qjz'.repeat(33)} `.repeat(41).slice(0, 256 * charactersAPiece)
const hostile = []
for (let i = 0; i < 30; i++) hostile.push((await timed(() => tokenise(worst))).took)
console.log(
  `\ntokenising the worst text that is still looked at (${worst.length} characters in words of 99), p50 and p95 in ms: ${both(hostile)}`,
)
