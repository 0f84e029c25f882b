/** JSON Schema of the events of a run; the build writes it to dist/events.schema.json. */
import type { RunEvent } from './events.js'
import { checkVerdicts, failureKinds, outcomes, purposes, reasons } from './generated/wire.js'

type Members = Readonly<Record<string, object>>

const text = { type: 'string' },
  whole = { type: 'integer', minimum: 0 },
  num = { type: 'number' },
  bool = { type: 'boolean' }
const ref = (n: string) => ({ $ref: `#/$defs/${n}` })
const at = ref('at')
const obj = (properties: Members, optional: readonly string[] = [], more: object = {}) => ({
  type: 'object',
  ...more,
  properties,
  required: Object.keys(properties).filter((k) => !optional.includes(k)),
  additionalProperties: false,
})
// `simulated` is added by the command line to every line of a simulated run.
const ev = (type: RunEvent['type'], description: string, members: Members, optional: readonly string[] = []) =>
  obj({ type: { const: type }, at, ...members, simulated: text }, [...optional, 'simulated'], {
    title: type,
    description,
  })
const ofCall = { step: ref('stepId'), call: ref('call'), purpose: ref('purpose') }
const target = {
  attempt: { ...whole, description: 'From 0, within one phase of the step.' },
  provider: text,
  model: text,
}
const cost = {
  costMicroUsd: ref('costMicroUsd'),
  priceAssumed: { const: true, description: 'A price is unknown: part of the cost is at an assumed one.' },
}
const saved = { savedTokens: whole, savedMicroUsd: whole, savedMs: whole }
/** One schema for each type of event: the compiler proves the list complete. */
const events: Readonly<Record<RunEvent['type'], object>> = {
  steps: ev('steps', 'More of the plan was read.', { steps: { type: 'array', items: ref('step') } }),
  warning: ev('warning', 'Something that the run continues without.', { code: text, where: text, detail: text }),
  call: ev('call', 'A call leaves.', {
    ...ofCall,
    ...target,
    estimateMs: { ...num, description: 'Planning estimate of its duration.' },
    reason: ref('reason'),
    why: { ...text, description: 'For people: why it is made, and there.' },
  }),
  prompt: ev('prompt', 'The prompt of a call is assembled. Sizes are estimates.', {
    ...ofCall,
    tokensBefore: whole,
    tokensAfter: whole,
  }),
  firstToken: ev('firstToken', 'The first token of a call arrived.', { ...ofCall }),
  progress: ev('progress', 'The answer streams.', {
    ...ofCall,
    outputTokens: { ...whole, description: 'So far, estimated.' },
  }),
  answer: ev('answer', 'The answer of a call came whole.', {
    ...ofCall,
    check: ref('check'),
    tokens: ref('tokens'),
    tokensEstimated: ref('tokensEstimated'),
  }),
  checked: ev(
    'checked',
    'The answer of a call was checked.',
    {
      ...ofCall,
      pass: bool,
      parts: { type: 'array', items: ref('checkPart'), description: 'Cheap ones first; none after a failure.' },
      functional: { ...bool, description: 'Something was run, and not only read.' },
      quality: ref('quality'),
      box: { ...text, description: 'The box in which programs ran.' },
      issues: { ...text, description: 'What failed, with the last lines of output.' },
    },
    ['quality', 'box', 'issues'],
  ),
  callEnd: ev(
    'callEnd',
    'A call is over: exactly one for each call.',
    {
      ...ofCall,
      ...target,
      outcome: { enum: ['ok', 'failed', 'cancelled', 'withheld', 'refused'] },
      failure: ref('failure'),
      message: text,
      tokens: ref('tokens'),
      tokensEstimated: ref('tokensEstimated'),
      ...cost,
      firstTokenMs: { type: ['number', 'null'] },
      responseMs: { type: ['number', 'null'] },
    },
    ['failure', 'message', 'priceAssumed'],
  ),
  note: ev(
    'note',
    'A remark about the run, a step or a call.',
    {
      step: ref('stepId'),
      call: ref('call'),
      reason: ref('reason'),
      words: text,
      detail: text,
      provider: text,
      leader: {
        ...text,
        description:
          'Id of the step that this one waits for, or not: whose call fills the prompt cache, or whom the free place is kept for.',
      },
    },
    ['step', 'call', 'detail', 'provider', 'leader'],
  ),
  done: ev(
    'done',
    'The output of a step is final.',
    {
      step: ref('stepId'),
      bytes: { ...whole, description: 'Of the output in UTF-8.' },
      tookMs: { ...whole, description: 'From the start of its first call to its answer; absent without a call.' },
      path: { ...text, description: 'Where the output lies; absent when the host put it nowhere.' },
      repaired: bool,
      recalled: { const: true },
      cached: ref('hitKind'),
      ...cost,
    },
    ['tookMs', 'path', 'recalled', 'cached', 'priceAssumed'],
  ),
  hit: ev(
    'hit',
    'A step is answered without a call; its done follows.',
    {
      step: ref('stepId'),
      kind: ref('hitKind'),
      score: { ...num, description: 'Cosine of what was asked then and now; 1: the same request.' },
      ...saved,
      of: { ...text, description: 'shared: the step that has the answer.' },
    },
    ['of'],
  ),
  miss: ev('miss', 'The cache was asked for a step and has no answer of its preferred model.', { step: ref('stepId') }),
  retrieved: ev(
    'retrieved',
    'Documents were looked for: what goes into the prompt of a step.',
    {
      step: ref('stepId'),
      references: { type: 'array', items: text, description: 'In the order of the prompt.' },
      tokens: { ...whole, description: 'That they add to the prompt, estimated.' },
      confidence: { ...num, description: 'That they are what was asked for, 0 to 1.' },
      retrievalTimeMs: { ...whole, description: '0: found for another step already.' },
      abstained: { enum: ['nothing', 'unsure'], description: 'Why there are none; the step continues without.' },
      failure: { ...text, description: 'Why nothing could be looked for; the step fails.' },
    },
    ['abstained', 'failure'],
  ),
  restart: ev(
    'restart',
    'The answer of a step starts over: discard what was streamed of it.',
    { step: ref('stepId'), call: ref('call') },
    ['call'],
  ),
  provisional: ev('provisional', 'What is shown of the step from here on is a draft, until confirmed or restart.', {
    step: ref('stepId'),
    call: ref('call'),
  }),
  confirmed: ev('confirmed', 'The draft of the step is its output, as it was or with a small part changed.', {
    step: ref('stepId'),
    call: ref('call'),
    patched: bool,
  }),
  resumed: ev('resumed', 'What came before was read from a journal.', {
    records: whole,
    calls: { ...whole, description: 'Calls that were in flight and are made again.' },
  }),
  failed: ev('failed', 'A step failed.', { step: ref('stepId'), failure: ref('failure'), message: text, ...cost }, [
    'priceAssumed',
  ]),
  skipped: ev(
    'skipped',
    'A step was left out.',
    { step: ref('stepId'), reason: ref('reason'), cause: { ...text, description: 'The dependency that failed it.' } },
    ['cause'],
  ),
  cancelled: ev('cancelled', 'A step was cancelled.', { step: ref('stepId'), reason: ref('reason') }),
  finish: ev('finish', 'The run is over. The last event.', { outcome: ref('outcome'), ...cost }, ['priceAssumed']),
}
const defs = {
  at: { ...num, minimum: 0, description: 'ms since the run began.' },
  stepId: { ...text, description: 'Id of the step in the plan.' },
  call: { ...whole, description: 'Number of the call, unique in the run and the same in its report.' },
  costMicroUsd: { ...whole, description: 'Micro-USD: 1 USD = 1,000,000.' },
  tokensEstimated: { ...bool, description: 'True when the provider sent no counts.' },
  tokens: obj(
    {
      input: { ...whole, description: 'cached included' },
      cached: whole,
      output: { ...whole, description: 'reasoning included' },
      reasoning: whole,
      written: { ...whole, description: 'to the prompt cache, where that has a price of its own' },
    },
    ['written'],
  ),
  hitKind: { enum: ['exact', 'semantic', 'shared'] },
  purpose: { enum: purposes },
  outcome: { enum: outcomes },
  failure: { enum: failureKinds },
  check: { enum: checkVerdicts },
  reason: { enum: reasons },
  checkPart: obj(
    {
      kind: { enum: ['edit', 'syntax', 'lint', 'shape', 'command', 'tests', 'rubric'] },
      outcome: { enum: ['pass', 'fail', 'skipped'] },
      why: { ...text, description: 'What failed, or why it was skipped.' },
      passed: whole,
      total: whole,
      weak: {
        const: true,
        description: 'Tests that pass without the answer too, or with every small change that was made to it.',
      },
    },
    ['why', 'passed', 'total', 'weak'],
  ),
  quality: obj(
    {
      score: { ...num, description: '0 to 1.' },
      partial: { ...bool, description: 'Without tests: never compared with whole scores.' },
      parses: bool,
      tests: num,
      lint: num,
      shape: num,
    },
    ['tests', 'lint'],
  ),
  step: obj(
    {
      step: whole,
      id: text,
      type: text,
      complexity: num,
      estimatedTokens: whole,
      output: { enum: ['any', 'text', 'code', 'json', 'schema'] },
      optional: bool,
      draft: { enum: ['off', 'auto', 'always'] },
      priority: { type: 'integer' },
      provider: { ...text, description: 'An id of a provider, or provider/model.' },
      temperature: num,
      maxTokens: whole,
      outputFile: { ...text, description: 'Name of the output, as the plan has it.' },
      schema: { type: 'object' },
      placing: { type: 'object', description: 'check, target and edit, as the plan has them.' },
      files: { type: 'array', items: text },
      documents: obj({ query: text, tokens: whole, paths: { type: 'array', items: text } }),
      written: { type: 'object', description: 'Of a step with when, for_each or pattern: as the plan has it.' },
      partOf: { ...whole, description: 'The step that spread into it.' },
      values: { type: 'array', items: text, description: 'Name and text in turn, for {{item}}.' },
      dependencies: { type: 'array', items: whole },
    },
    [
      'provider',
      'temperature',
      'maxTokens',
      'outputFile',
      'schema',
      'placing',
      'documents',
      'draft',
      'written',
      'partOf',
      'values',
    ],
  ),
}

export const eventsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:aetherflow:events:1',
  title: 'Event of an AetherFlow run',
  description:
    'What a run tells its watchers, and each line that the command line writes as JSON but the last (result or error). Later versions add types and members.',
  oneOf: Object.keys(events).map((name) => ({ $ref: `#/$defs/events/${name}` })),
  $defs: { ...defs, events },
}
