// What it takes to spread one step over many items, with models that take no time: all that is left is the product's own.
//   node tests/bench/spread.mjs [--quick]
// Items in the plan, and the array that a step answers; half of the parts are called again from a journal that was cut in the middle.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const { runPlan, explainPlan } = await import(at('dist/node/index.js'))
const sizes = process.argv.includes('--quick') ? [1000] : [1000, 10_000]
const usage = { input: 100, cached: 0, output: 20, reasoning: 0 }
const list = (count) => Array.from({ length: count }, (_, item) => `item ${item}`)
const performer = (count) => ({
  async perform({ step: { id } }) {
    return { text: id === 'list' ? JSON.stringify(list(count)) : `answer of ${id}`, usage, finish: 'stop' }
  },
})
const plan = (count, forEach) => ({
  steps: [
    { id: 'list', type: 'analysis', description: 'list', output: 'json' },
    { id: 'each', type: 'analysis', description: 'Do {{item}}', for_each: { max_items: count, ...forEach } },
    { id: 'end', type: 'analysis', description: 'Sum up {{steps.each.output}}' },
  ],
})
async function timed(work) {
  const since = performance.now()
  await work()
  return (performance.now() - since).toFixed(0).padStart(7)
}

printMachine()
console.log('items   in the plan ms   of a step ms   resumed half-way ms   explained ms')
for (const count of sizes) {
  const options = { performer: performer(count), config: {} }
  const stated = plan(count, { items: list(count) })
  const answered = plan(count, { step: 'list' })
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-spread-'))
  const run = (of, more = {}) => runPlan(of, { ...options, ...more })
  const inPlan = await timed(() => run(stated))
  const ofStep = await timed(() => run(answered))
  await run(answered, { journal: folder })
  const journal = join(folder, 'journal.jsonl')
  const lines = readFileSync(journal, 'utf8').split('\n')
  writeFileSync(journal, `${lines.slice(0, lines.length >> 1).join('\n')}\n`)
  const resumed = await timed(() => run(undefined, { journal: folder, resume: true }))
  rmSync(folder, { recursive: true })
  const explained = await timed(() => explainPlan(answered, { config: {} }))
  console.log(
    `${String(count).padStart(5)}   ${inPlan}          ${ofStep}        ${resumed}               ${explained}`,
  )
}
