// What a coding assistant reads and writes for a task, in two ways: it writes the code itself (A), or it writes a plan, has it run
// and checks (B). Counted on fixtures: the code is this project's own files, and no model is asked; see README.md.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Words of a call of a tool, as an assistant writes them. */
const written = (tool, given) => JSON.stringify({ tool, ...given })

/** What a shell says when tests pass: the same in both ways. */
const testsPass = 'PASS\nTests: 12 passed, 12 total'
/** What an editor's tool says of a file that was written. */
const fileWritten = 'The file was written.'

/** A step as an assistant writes it: path, what it is for, what it exports. Mechanical, from the file's first comment and its exports. */
export function stepOf(file, code, index) {
  const [, about = ''] = /\/\*\*\s*([\s\S]*?)\*\//.exec(code) ?? []
  const words =
    about
      .replace(/\s*\n\s*\*\s?/g, ' ')
      .trim()
      .split(/(?<=\.)\s/)[0] ?? ''
  const exported = [...code.matchAll(/^export (?:async )?(?:function|const|class|interface|type) [^\n{=]+/gm)].map(
    ([line]) =>
      line
        .replace(/^export /, '')
        .replace(/\s+/g, ' ')
        .trim(),
  )
  return {
    id: `f${index + 1}`,
    type: 'code_generation',
    description: `Write ${file}: ${words} Exports: ${exported.join('; ')}. Strict TypeScript, the conventions of CONTRIBUTING.md.`,
    complexity: 0.6,
    estimated_tokens: Math.ceil(code.length / 4 / 100) * 100,
    context: { files: ['CONTRIBUTING.md'] },
    output: 'code',
  }
}

/** A: every file as the call of a tool that writes it, then the tests. */
function alone({ task, files }, tokens) {
  let [wrote, read] = [0, tokens(task)]
  for (const { file, code } of files) {
    wrote += tokens(written('write', { path: file, content: code }))
    read += tokens(fileWritten)
  }
  wrote += tokens(written('shell', { command: 'npm test' }))
  return { wrote, read: read + tokens(testsPass) }
}

/**
 * B: through the real tools. The plan is written to a file once, with a mistake that the first check finds and an edit repairs. One
 * output is read whole, the one of median size, to see whether it keeps the conventions; the others are seen by the tests alone.
 */
async function delegated({ task, files }, { call, root, toolList, card, tokens }) {
  const count = { wrote: 0, read: tokens(task) + tokens(toolList) }
  const use = async (tool, given) => {
    count.wrote += tokens(written(tool, given))
    const text = await call(tool, given)
    count.read += tokens(text)
    return text
  }
  const other = (tool, given, told) => {
    count.wrote += tokens(written(tool, given))
    count.read += tokens(told)
  }
  const plan = {
    task_id: 'task',
    description: task,
    steps: files.map(({ file, code }, index) => stepOf(file, code, index)),
  }
  const broken = { ...plan, steps: plan.steps.map((step, index) => (index > 0 ? step : { ...step, type: undefined })) }
  if ((await use('search_docs', {})) !== card) throw new Error('the card is not what search_docs answers')
  const file = path.join(root, 'plan.json')
  other('write', { path: 'plan.json', content: JSON.stringify(broken) }, fileWritten)
  writeFileSync(file, JSON.stringify(broken))
  const refused = await use('check_plan', { path: 'plan.json' })
  if (!refused.startsWith('not ok')) throw new Error(`the mistake was not found: ${refused}`)
  other('edit', { path: 'plan.json', old: '"id":"f1",', new: '"id":"f1","type":"code_generation",' }, fileWritten)
  writeFileSync(file, JSON.stringify(plan))
  const checked = await use('check_plan', { path: 'plan.json' })
  if (!checked.startsWith('ok')) throw new Error(`the plan is refused: ${checked}`)
  let answer = await use('run_plan', { path: 'plan.json', budget_usd: 0.5, wait_ms: 20000 })
  const [, id] = /run (r\w+)/.exec(answer) ?? []
  while (/is running/.test(answer)) answer = await use('run_status', { run_id: id, wait_ms: 20000 })
  if (!answer.includes('is done')) throw new Error(answer)
  // The tool is asked for real; what it would hand out is the code, so that is counted in place of what the simulator wrote.
  const bySize = [...files].sort((one, two) => one.code.length - two.code.length)
  const median = bySize[Math.floor(bySize.length / 2)]
  const simulated = await call('read_output', { run_id: id, step: 'f1' })
  count.wrote += tokens(written('read_output', { run_id: id, step: 'f1' }))
  count.read += tokens(simulated.split('\n')[0]) + tokens(median.code)
  const copies = files.map(({ file: to }, index) => `cp f${index + 1}.ts ${to}`).join(' && ')
  other('shell', { command: `cd aetherflow-out/${id}/step_outputs && ${copies} && cd - && npm test` }, testsPass)
  rmSync(file)
  return { ...count, steps: files.length }
}

/** Both ways for each task. `where`: { call, root, toolList, card, tokens, source }. */
export async function measure(tasks, where) {
  const rows = []
  for (const { task, files: names } of tasks) {
    const files = names.map((file) => ({ file, code: readFileSync(path.join(where.source, file), 'utf8') }))
    const code = files.reduce((sum, one) => sum + where.tokens(one.code), 0)
    const [a, b] = [alone({ task, files }, where.tokens), await delegated({ task, files }, where)]
    rows.push({ task, files: files.length, code, a, b, saved: 1 - (b.wrote + b.read) / (a.wrote + a.read) })
  }
  return rows
}

/** Tokens of code above which B needs fewer than A: where the line through the rows crosses. */
export function breakEven(rows) {
  const points = rows.map(({ code, a, b }) => [code, a.wrote + a.read - b.wrote - b.read])
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const slope =
    points.reduce((sum, [code, gain]) => sum + (code - x) * (gain - y), 0) /
    points.reduce((sum, [code]) => sum + (code - x) ** 2, 0)
  return Math.round(x - y / slope)
}
