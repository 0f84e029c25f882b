// <aetherflow-run> beside an editor, as a web IDE would have it: a plan goes in, events and answers come out.
// Serve the project's folder by any static server and open examples/browser/editor.html; in a project of your own the import is
// '@aetherflow/aetherflow/element'.
import '../../dist/element/index.js'

const [run, editor, answer, chosen] = ['aetherflow-run', '#plan', '#answer', '#chosen'].map((name) =>
  document.querySelector(name),
)

editor.value = JSON.stringify(
  {
    task_id: 'beside',
    description: 'A plan that is changed while its graph looks on.',
    steps: [
      { id: 'sketch', type: 'brainstorming', description: 'Sketch a to-do list in three sentences.' },
      { id: 'code', type: 'code_generation', description: 'Write it: {{steps.sketch.output}}', output: 'code' },
      { id: 'tests', type: 'testing', description: 'Test it: {{steps.code.output}}', output: 'code' },
    ],
  },
  null,
  2,
)
run.plan = editor.value
editor.addEventListener('input', () => (run.plan = editor.value))

const answers = new Map()
let shown = 'sketch'
function show(step) {
  shown = step
  chosen.textContent = step
  answer.value = answers.get(step) ?? ''
}
run.addEventListener('aetherflow-select', ({ detail }) => show(detail.step))
run.addEventListener('aetherflow-event', ({ detail }) => {
  if (detail.type === 'steps') answers.clear()
  if (detail.type === 'restart') answers.delete(detail.step)
})
run.addEventListener('aetherflow-text', ({ detail: { step, piece } }) => {
  answers.set(step, (answers.get(step) ?? '') + piece)
  if (step === shown) show(step)
})
run.addEventListener('aetherflow-result', ({ detail }) => {
  document.title = `${detail.report.counts.done} steps done`
})
