// The document index as WebAssembly: building and searching beside MiniSearch in the same run; and what it finds on docs-qa, with
// settings that were chosen on one half of the questions and measured on the other.
//   index.mjs [--model DIR]      the second part needs the shared data (AETHERFLOW_SHARED)
import { existsSync } from 'node:fs'
import path from 'node:path'
import MiniSearch from 'minisearch'
import { IndexCore } from '../../dist/bindings/index/core.js'
import { evaluateSet, readEvaluationFiles } from '../../dist/node/documents/evaluate.js'
import { loadIndex } from '../../dist/node/loader.js'
import { at } from '../../scripts/lib/paths.mjs'

const words = process.argv.slice(2)
const model = words.includes('--model') ? words[words.indexOf('--model') + 1] : undefined
const encoder = new TextEncoder()
let state = 1
const unit = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
// Few words are frequent, most are rare.
const word = () => `w${Math.floor(unit() ** 3 * 20_000)}`
const some = (count) => Array.from({ length: count }, word).join(' ')
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]

/** ms on the clock, and of the processor: neighbours on the machine lengthen the former alone. */
function built(work) {
  const [begun, used] = [performance.now(), process.cpuUsage()]
  work()
  const { user, system } = process.cpuUsage(used)
  return [performance.now() - begun, (user + system) / 1000]
}

async function speed(sections) {
  const { module, data } = await loadIndex()
  const all = Array.from({ length: sections }, (_, id) => ({ id, title: some(2), text: some(150) }))
  const files = Array.from({ length: sections / 10 }, (_, file) =>
    encoder.encode(
      all
        .slice(file * 10, file * 10 + 10)
        .map(({ title, text }) => `## ${title}\n\n${text}\n`)
        .join('\n'),
    ),
  )
  const core = new IndexCore(module, data)
  const [ours, ourCpu] = built(() => {
    files.forEach((file, i) => core.put(`docs/${i}.md`, file))
    core.search('w5', 1)
  })
  const peer = new MiniSearch({ fields: ['title', 'text'] })
  const [theirs, theirCpu] = built(() => peer.addAll(all))
  const timed = (search) => {
    const times = []
    for (let i = 0; i < 100; i++) {
      const question = some(8)
      const begun = performance.now()
      search(question)
      times.push(performance.now() - begun)
    }
    return median(times)
  }
  const [query, peers] = [timed((text) => core.search(text, 10)), timed((text) => peer.search(text).slice(0, 10))]
  console.log(
    `${sections} sections: built in ${ours.toFixed(0)} ms (MiniSearch ${theirs.toFixed(0)}), of the processor ${ourCpu.toFixed(0)} (${theirCpu.toFixed(0)}), searched in ${query.toFixed(2)} ms` +
      ` (MiniSearch ${peers.toFixed(2)}), ${Math.round(core.memory / core.sections)} B of memory a section`,
  )
  core.dispose()
}

const show = (name, { recall, precision, mrr, hit }) => {
  const three = ({ value, low, high }) => `${value.toFixed(3)} [${low.toFixed(3)}–${high.toFixed(3)}]`
  console.log(
    `${name.padEnd(34)} R@3 ${three(recall)}  P@3 ${three(precision)}  MRR@3 ${three(mrr)}  hit@3 ${hit[3].value.toFixed(2)}  hit@5 ${hit[5].value.toFixed(2)}`,
  )
}

async function found() {
  const folder = path.join(process.env.AETHERFLOW_SHARED ?? at('../shared'), 'data/rag/docs-qa')
  if (!existsSync(folder)) return console.log(`docs-qa: skipped, there is no ${folder}`)
  const set = await readEvaluationFiles([folder])
  show('docs-qa, the default settings', await evaluateSet(set))
  const half = (odd) => ({ ...set, questions: set.questions.filter((_, i) => i % 2 === Number(odd)) })
  for (const odd of [false, true]) {
    let best
    for (const k1 of [1.2, 2]) {
      for (const b of [0.5, 0.7, 0.9]) {
        for (const title of [1, 2]) {
          for (const path of [1, 1.5, 2]) {
            const rank = { k1, b, title, path }
            const { recall, mrr } = await evaluateSet(half(odd), { rank })
            if (best === undefined || recall.value + mrr.value > best.score)
              best = { score: recall.value + mrr.value, rank }
          }
        }
      }
    }
    console.log(`chosen on ${odd ? 'odd' : 'even'} questions: ${JSON.stringify(best.rank)}`)
    show('  measured on the other half', await evaluateSet(half(!odd), { rank: best.rank }))
    show('  the defaults there', await evaluateSet(half(!odd)))
  }
  if (model !== undefined) show(`with ${path.basename(model)}, min-max halves`, await evaluateSet(set, { model }))
}

for (const sections of [1000, 10_000]) await speed(sections)
await found()
