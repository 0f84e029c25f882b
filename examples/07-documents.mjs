// A step that knows what the project says: sections of its documents stand in the prompt, each with its place.
import { fileURLToPath } from 'node:url'
import { runPlan } from '@aetherflow/aetherflow'

const documents = { query: 'What does the cache do with a guard and its veto?', paths: ['README.md'], tokens: 600 }
const plan = {
  task_id: 'ask-the-project',
  description: 'Answer from the documents alone',
  steps: [{ id: 'answer', type: 'documentation', description: documents.query, context: { documents } }],
}

// By default the folder of the plan's context files is looked into; an index stays in memory with `keep: false`.
const dir = fileURLToPath(new URL('../web/standard/cache', import.meta.url))
const { report } = await runPlan(plan, {
  simulate: 'instant',
  documents: { dir, keep: false },
  onPrompt: ({ user }) => console.log(user),
})
const { references, tokens, retrievalTimeMs } = report.steps[0].documents
console.log(`${tokens} tokens from ${references.join(', ')} in ${retrievalTimeMs} ms`)
