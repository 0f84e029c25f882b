// node tests/browser/embed-in-node.mjs FOLDER FILE: reads texts as a JSON array, writes their vectors, as Node's onnxruntime-web makes them.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { onnxEmbedder } from '../../dist/web/standard/embed/onnx.js'
import { ortRuntime } from '../../dist/web/standard/embed/runtime.js'

const [folder, file] = process.argv.slice(2)
const json = (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
const embedder = onnxEmbedder({
  name: 'model',
  model: () => readFile(path.join(folder, file)),
  tokenizer: async () => ({ tokenizer: json('tokenizer.json'), config: json('tokenizer_config.json') }),
  runtime: async () => ortRuntime(await import('onnxruntime-web'), 'onnxruntime-web'),
})
const vectors = []
for (const text of JSON.parse(readFileSync(0, 'utf8'))) vectors.push([...(await embedder.embed(text)).vector])
console.log(JSON.stringify(vectors))
process.exit(0)
