// Steps need not be model calls: a performer of your own carries them out, and the plan still gives order, parallelism and report.
import { runPlan } from '@aetherflow/aetherflow'

const plan = {
  task_id: 'word-count',
  description: 'Counts words with functions instead of models.',
  steps: [
    { id: 'left', type: 'analysis', description: 'to be or not to be', dependencies: [] },
    { id: 'right', type: 'analysis', description: 'that is the question', dependencies: [] },
    { id: 'sum', type: 'analysis', description: 'add them up', dependencies: ['left', 'right'] },
  ],
}
const tools = {
  left: () => 'to be or not to be'.split(' ').length,
  right: () => 'that is the question'.split(' ').length,
  sum: (inputs) => inputs.reduce((total, text) => total + Number(text), 0),
}

const performer = {
  // `ticket` has the step, the outputs of its dependencies, and a signal that aborts when the step is cancelled.
  async perform({ step, dependencies }) {
    const inputs = dependencies.map(([, text]) => text)
    return { text: String(tools[step.id](inputs)), usage: undefined, finish: 'stop' }
  },
}

const { outputs } = await runPlan(plan, { performer })
console.log(`${outputs.get('left')} + ${outputs.get('right')} = ${outputs.get('sum')} words`)
