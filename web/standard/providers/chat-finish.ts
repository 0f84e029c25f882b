/** How chat completions end, in the words of the hosts. */
import type { FailureKind, FinishReason } from '../../../bindings/generated/wire.js'

/** The words of the format first, then those that other hosts hand on from the model's server. Unknown ones are `other`. */
const finishWords: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  completed: 'stop',
  end: 'stop',
  end_turn: 'stop',
  eos: 'stop', // Together
  eos_token: 'stop',
  stop_sequence: 'stop',
  max_length: 'length',
  max_output_tokens: 'length',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  model_length: 'length', // Mistral
  blocklist: 'content_filter',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
  language: 'content_filter',
  model_armor: 'content_filter',
  prohibited_content: 'content_filter',
  recitation: 'content_filter',
  refusal: 'content_filter',
  safety: 'content_filter',
  sensitive: 'content_filter', // Zhipu
  spii: 'content_filter',
}

/** Endings that are failures, whatever came before them. */
const failedWords: Readonly<Record<string, FailureKind>> = {
  insufficient_system_resource: 'overloaded', // DeepSeek
  error: 'server_error',
  internal_error: 'server_error',
  server_error: 'server_error',
  abort: 'truncated', // vLLM, SGLang, Zhipu
  aborted: 'truncated',
  cancelled: 'truncated',
  canceled: 'truncated',
  connection_error: 'truncated',
  incomplete: 'truncated',
  interrupted: 'truncated',
  network_error: 'truncated', // Zhipu
  repetition_truncation: 'truncated',
  timeout: 'truncated',
  // No tool was offered.
  function_call: 'generation_failed',
  malformed_function_call: 'generation_failed',
  malformed_response: 'generation_failed',
  tool_calls: 'generation_failed',
  tool_use: 'generation_failed',
  unexpected_tool_call: 'generation_failed',
}

/** What a finish word means: an ending of an answer, or a failure. */
export function endingOf(word: string): { readonly finish: FinishReason } | { readonly failed: FailureKind } {
  const known = word.toLowerCase()
  if (Object.hasOwn(failedWords, known)) return { failed: failedWords[known]! }
  return { finish: Object.hasOwn(finishWords, known) ? finishWords[known]! : 'other' }
}
