export { createGemini, type GeminiConfig } from './gemini.js'
export {
  createCachedGemini,
  createGeminiCaches,
  type CacheContent,
  type CachedContent,
  type CachedGemini,
  type GeminiCaches,
} from './gemini-cache.js'
export { lowLatencyThinking, type Thinking } from './gemini-body.js'
export { createMistralFim, type FimClient, type FimRequest } from './mistral-fim.js'
export { createOpenAiCompatible, type OpenAiCompatibleConfig } from './openai-compatible.js'
export type { Timeouts } from './call-guard.js'
export type { Dialect, PrefixRule } from './dialect.js'
export {
  deepseekFailures,
  everyTable,
  failureKindOf,
  geminiFailures,
  groqFailures,
  mistralFailures,
  openaiFailures,
  type FailureTable,
} from './failures/index.js'
export { callJson, type JsonCall } from './json-call.js'
export type { ClientConfig } from './exchange.js'
export { deepseek } from './deepseek.js'
export { generic } from './generic.js'
export { groq } from './groq.js'
export { mistral } from './mistral.js'
export { openai } from './openai.js'
