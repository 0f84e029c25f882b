// Embeds the development pairs of the semantic cache, for cache_fit and cache_eval:
//   node tests/bench/cache-embed.mjs OUT [--modules DIR] [--model FILE] [--pairs TSV]
// Writes OUT/pairs.tsv (label, file/category, text_a, text_b), OUT/texts.txt and OUT/vectors.f32 (a row of 384 for each text).
// DIR is a folder whose node_modules hold onnxruntime-node or onnxruntime-web, and @huggingface/tokenizers; the default is the
// working folder. FILE is one of the model's folder, model_w8.onnx unless said otherwise. Data and model are read from AETHERFLOW_SHARED, or from the folder `shared` beside the project.
// TSV: these pairs only, in the form of the development data, or a file of groups (.txt). Without it all of the development data, and
// cache-pairs.tsv, cache-groups.txt and cache-templates.txt, which are ours. A second run with the same OUT embeds only what is new.
// Families of templates are thinned to 250 (checklist) and 150 (breaking-nli) rows of each label: they repeat themselves.
import { createRequire } from 'node:module'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { pairsOfGroups, pairsOfTemplates } from './lib/cache-groups.mjs'

const words = process.argv.slice(2)
const modulesAt = words.indexOf('--modules')
const modules = path.resolve(modulesAt < 0 ? '.' : words.splice(modulesAt, 2)[1])
const fileAt = words.indexOf('--model')
const modelFile = fileAt < 0 ? 'model_w8.onnx' : words.splice(fileAt, 2)[1]
const pairsAt = words.indexOf('--pairs')
const only = pairsAt < 0 ? undefined : words.splice(pairsAt, 2)[1]
const [out] = words
if (!out) throw new Error('cache-embed.mjs OUT [--modules DIR] [--model FILE] [--pairs TSV]')
const shared = process.env.AETHERFLOW_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url))
const data = path.join(shared, 'data/cache')
const model = path.join(shared, 'models/all-MiniLM-L6-v2')
if (!existsSync(data) || !existsSync(model)) {
  console.log(`skipped: no development data below ${shared}; set AETHERFLOW_SHARED`)
  process.exit(0)
}

/** Rows of each label and category that are kept. */
const limits = {
  'checklist-mft.tsv': 250,
  'breaking-nli.tsv': 150,
  'gptcache-mock.tsv': Infinity,
  'osschat.tsv': Infinity,
  'qqp-20k.tsv': Infinity,
}
/** The model's own window, in pieces; the tokenizer library does not truncate. */
const window = 256
const dimensions = 384

const own = fileURLToPath(new URL('cache-pairs.tsv', import.meta.url))
const groups = fileURLToPath(new URL('cache-groups.txt', import.meta.url))
const templates = fileURLToPath(new URL('cache-templates.txt', import.meta.url))

/** [name of the dataset, its file, rows of each label and category that are kept] */
function datasets() {
  if (only) return [[only.endsWith('.txt') ? 'groups' : 'own', path.resolve(only), Infinity]]
  const given = Object.entries(limits).map(([file, limit]) => [file.replace('.tsv', ''), path.join(data, file), limit])
  return [...given, ['own', own, Infinity], ['groups', groups, Infinity], ['templates', templates, Infinity]]
}

function linesOf(set, file, text) {
  if (set === 'templates') return pairsOfTemplates(text)
  return file.endsWith('.txt') ? pairsOfGroups(text) : text.split('\n').slice(1).filter(Boolean)
}

function readPairs() {
  const rows = []
  for (const [set, file, limit] of datasets()) {
    const text = readFileSync(file, 'utf8')
    const lines = linesOf(set, file, text)
    const kind = (line) => line.split('\t', 2).join('\t')
    const total = {}
    for (const line of lines) total[kind(line)] = (total[kind(line)] ?? 0) + 1
    const seen = {}
    for (const line of lines) {
      const stride = Math.max(1, Math.floor(total[kind(line)] / limit))
      seen[kind(line)] = (seen[kind(line)] ?? 0) + 1
      if (seen[kind(line)] % stride !== 0) continue
      const [label, category, a, b] = line.split('\t')
      rows.push([label, `${set}/${category}`, a, b])
    }
  }
  return rows
}

async function load(name) {
  const resolve = createRequire(path.join(modules, 'package.json')).resolve
  return import(pathToFileURL(resolve(name)).href)
}

async function makeEmbed() {
  const native = await load('onnxruntime-node').catch(() => load('onnxruntime-web'))
  const ort = native.default ?? native
  const tokenizers = await load('@huggingface/tokenizers')
  const { Tokenizer } = tokenizers.Tokenizer ? tokenizers : tokenizers.default
  const json = (name) => JSON.parse(readFileSync(path.join(model, name), 'utf8'))
  const tokenizer = new Tokenizer(json('tokenizer.json'), json('tokenizer_config.json'))
  const session = await ort.InferenceSession.create(path.join(model, modelFile), { intraOpNumThreads: 1 })
  return async (text) => {
    let { ids } = tokenizer.encode(text)
    if (ids.length > window) ids = [...ids.slice(0, window - 1), ids.at(-1)]
    const pieces = ids.length
    const tensor = (values) => new ort.Tensor('int64', values, [1, pieces])
    const result = await session.run({
      input_ids: tensor(BigInt64Array.from(ids, BigInt)),
      attention_mask: tensor(new BigInt64Array(pieces).fill(1n)),
      token_type_ids: tensor(new BigInt64Array(pieces)),
    })
    const states = result.last_hidden_state.data
    const sum = new Float64Array(states.length / pieces)
    for (let i = 0; i < states.length; i++) sum[i % sum.length] += states[i]
    const length = Math.hypot(...sum)
    return Float32Array.from(sum, (x) => x / length)
  }
}

/** Vectors of an earlier run of the same model file: only what is new is embedded. */
function keptVectors(checksum) {
  const kept = new Map()
  const file = (name) => path.join(out, name)
  if (!existsSync(file('model.txt')) || readFileSync(file('model.txt'), 'utf8').trim() !== checksum) return kept
  const bytes = readFileSync(file('vectors.f32'))
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4))
  const old = readFileSync(file('texts.txt'), 'utf8').split('\n').slice(0, -1)
  for (const [i, text] of old.entries()) {
    if ((i + 1) * dimensions <= all.length) kept.set(text, all.subarray(i * dimensions, (i + 1) * dimensions))
  }
  return kept
}

const rows = readPairs()
const texts = [...new Set(rows.flatMap(([, , a, b]) => [a, b]))]
const checksum = createHash('sha256')
  .update(readFileSync(path.join(model, modelFile)))
  .digest('hex')
const kept = keptVectors(checksum)
const embed = await makeEmbed()
mkdirSync(out, { recursive: true })
const vectors = new Float32Array(texts.length * dimensions)
for (const [i, text] of texts.entries()) {
  vectors.set(kept.get(text) ?? (await embed(text)), i * dimensions)
  if (i % 5000 === 0) console.log(`${i} of ${texts.length} texts`)
}
writeFileSync(path.join(out, 'pairs.tsv'), rows.map((row) => row.join('\t') + '\n').join(''))
writeFileSync(path.join(out, 'texts.txt'), texts.map((text) => text + '\n').join(''))
writeFileSync(path.join(out, 'vectors.f32'), new Uint8Array(vectors.buffer))
writeFileSync(path.join(out, 'model.txt'), checksum + '\n')
