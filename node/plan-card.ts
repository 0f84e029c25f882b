/** What a model must know to write a plan, and no more: it goes into prompts, so it has at most 600 tokens. */

/** The plan that the card shows: every member that most plans need. */
export const examplePlan = {
  task_id: 'parser',
  description: 'Find out what is wrong with the parser, and repair it',
  steps: [
    {
      id: 'read',
      type: 'analysis',
      description: 'List the faults of this parser, worst first.',
      complexity: 0.4,
      estimated_tokens: 600,
      dependencies: [],
      context: { files: ['src/parser.js'] },
    },
    {
      id: 'fix',
      type: 'refactoring',
      description: 'Rewrite the parser without these faults: {{steps.read.output}}',
      complexity: 0.6,
      estimated_tokens: 1500,
      dependencies: ['read'],
      context: { files: ['src/parser.js'] },
      output: 'code',
    },
  ],
}

/** The plan that `init` writes: it runs in an empty folder. */
export const firstPlan = {
  task_id: 'first',
  description: 'Names for a command that runs plans, and the best of them',
  steps: [
    {
      id: 'serious',
      type: 'brainstorming',
      description: 'Ten names for a command line program that runs plans of language model calls: serious ones.',
      complexity: 0.3,
      estimated_tokens: 200,
    },
    {
      id: 'playful',
      type: 'brainstorming',
      description: 'Ten names for a command line program that runs plans of language model calls: playful ones.',
      complexity: 0.3,
      estimated_tokens: 200,
    },
    {
      id: 'best',
      type: 'analysis',
      description: 'Which three of these names are best, and why?\n{{steps.serious.output}}\n{{steps.playful.output}}',
      complexity: 0.5,
      estimated_tokens: 300,
      dependencies: ['serious', 'playful'],
    },
  ],
}

/** The example with a step a line: as short as JSON that people read gets. */
function shortJson(): string {
  const { steps, ...head } = examplePlan
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`)
  return `${JSON.stringify(head).slice(0, -1)},"steps":[\n${lines.join(',\n')}\n]}`
}

export const planCard = `# How to write a plan for AetherFlow

Answer with one JSON object and nothing else. Each step is one request to a language model.

${shortJson()}

Members of a step (the first three are required):
- id: short, unique.
- type: analysis, refactoring, code_generation, prototyping, brainstorming, documentation or testing. It decides which model answers.
- description: the whole task, in words that stand alone. {{steps.ID.output}} is replaced by that step's output.
- complexity: 0 to 1. Hard steps go to stronger models.
- estimated_tokens: length of the answer.
- dependencies: ids of the steps whose outputs it gets.
- context.files: paths below the plan's folder.
- context.documents: {"query", "paths", "tokens"}, all optional: sections of the project's documents that answer the query; {} lets the
  description ask. Of the project the model sees nothing but these and the files.
- output: "code", "json", "text" or a JSON Schema that the answer must obey.
- for_each: a list, {"glob": "src/*.js"} or {"step": ID} of a JSON array: once for each {{item}}. when: {"step": ID, "is": "yes"}: else skipped.
- optional: true when the others can go on without it. priority: higher goes first.
- target: the file that the answer becomes, whole. check: {"tests": {"files": [...]}}: tests that it must pass.
- provider, model, system, temperature, max_tokens, output_file: leave them out unless you were told to set them.

Rules:
1. Steps that need nothing of each other do not depend on each other: they run at once.
2. One step, one result. Split what is long; do not split what must agree.
3. Name every file that a step needs, and only those.
4. A step knows only its description, files, documents and dependencies. Write "this file", never "as above".
5. End with one step that sums up, if somebody is to read a result.
`
