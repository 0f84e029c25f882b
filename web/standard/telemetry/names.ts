/**
 * Every name that goes to OpenTelemetry, in one table. The conventions for generative systems are still being renamed, and dashboards
 * live longer than a name: `names` chooses the state of them. Source: semantic-conventions-genai v0.1.0 and its migration notes.
 */
export interface Names {
  /** Operations, which are the beginnings of span names too. */
  readonly invokeWorkflow: string
  readonly chat: string
  readonly operationName: string
  readonly providerName: string
  readonly requestModel: string
  readonly responseModel: string
  readonly agentName: string
  readonly inputTokens: string
  readonly outputTokens: string
  readonly cachedTokens: string
  readonly reasoningTokens: string
  readonly errorType: string
  readonly requestDuration: string
  readonly firstChunk: string
  readonly runDuration: string
  /** A counter for each kind of token, or one histogram with the kind as an attribute. */
  readonly tokenCounters:
    { readonly input: string; readonly cached: string; readonly output: string; readonly reasoning: string } | undefined
  readonly tokenHistogram: string | undefined
}

const common = {
  invokeWorkflow: 'invoke_workflow',
  chat: 'chat',
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  errorType: 'error.type',
} as const

/** `0.1`: of the first release of the separate repository (November 2026). `before`: what most dashboards of 2026 still read. */
export const nameVersions = {
  '0.1': {
    ...common,
    agentName: 'gen_ai.agent.name',
    requestDuration: 'gen_ai.client.inference.duration',
    firstChunk: 'gen_ai.client.inference.time_to_first_chunk',
    runDuration: 'gen_ai.invoke_agent.duration',
    tokenCounters: {
      input: 'gen_ai.client.inference.usage.input_tokens',
      cached: 'gen_ai.client.inference.usage.cache_read.input_tokens',
      output: 'gen_ai.client.inference.usage.output_tokens',
      reasoning: 'gen_ai.client.inference.usage.reasoning.output_tokens',
    },
    tokenHistogram: undefined,
  },
  before: {
    ...common,
    agentName: 'gen_ai.workflow.name',
    requestDuration: 'gen_ai.client.operation.duration',
    firstChunk: 'gen_ai.client.operation.time_to_first_chunk',
    runDuration: 'gen_ai.workflow.duration',
    tokenCounters: undefined,
    tokenHistogram: 'gen_ai.client.token.usage',
  },
} as const satisfies Readonly<Record<string, Names>>

export type NamesVersion = keyof typeof nameVersions

/** Provider names as the conventions list them; others go by their own id. */
export const providerNames: Readonly<Record<string, string>> = {
  deepseek: 'deepseek',
  groq: 'groq',
  openai: 'openai',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
}
