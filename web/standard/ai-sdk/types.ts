/**
 * What of the AI SDK's language model specification, version 3, is used here; both of its majors that are alive take such a model.
 * Written down instead of imported, so that this package depends on nothing: the names and shapes are those of `@ai-sdk/provider`.
 */
type Json = null | string | number | boolean | { [member: string]: Json | undefined } | Json[]

export type ProviderMetadata = Record<string, Record<string, Json | undefined>>

export interface TextPart {
  type: 'text'
  text: string
}

export interface FilePart {
  type: 'file'
  mediaType: string
  data: unknown
}

export interface ToolResultPart {
  type: 'tool-result'
  toolCallId: string
  toolName: string
  output: { type: string; value?: unknown; reason?: string }
}

export interface ToolCallPart {
  type: 'tool-call'
  toolCallId: string
  toolName: string
  input: unknown
}

/** Parts of other kinds are left out of what is sent. */
export type PromptMessage =
  | { role: 'system'; content: string }
  | { role: 'user'; content: (TextPart | FilePart)[] }
  | { role: 'assistant'; content: (TextPart | ToolCallPart | ToolResultPart | { type: string })[] }
  | { role: 'tool'; content: (ToolResultPart | { type: string })[] }

export interface CallOptions {
  prompt: PromptMessage[]
  maxOutputTokens?: number
  temperature?: number
  stopSequences?: string[]
  topP?: number
  topK?: number
  presencePenalty?: number
  frequencyPenalty?: number
  responseFormat?: { type: 'text' } | { type: 'json'; schema?: unknown; name?: string; description?: string }
  seed?: number
  tools?: { type: string; name: string; description?: string; inputSchema?: unknown; strict?: boolean }[]
  toolChoice?: { type: 'auto' | 'none' | 'required' } | { type: 'tool'; toolName: string }
  abortSignal?: AbortSignal
  providerOptions?: Record<string, Record<string, unknown>>
}

export type Warning = { type: 'unsupported'; feature: string; details?: string } | { type: 'other'; message: string }

export type Content =
  { type: 'text'; text: string } | { type: 'tool-call'; toolCallId: string; toolName: string; input: string }

export interface FinishReason {
  unified: 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'error' | 'other'
  raw: string | undefined
}

export interface TokenUsage {
  inputTokens: {
    total: number | undefined
    noCache: number | undefined
    cacheRead: number | undefined
    cacheWrite: number | undefined
  }
  outputTokens: { total: number | undefined; text: number | undefined; reasoning: number | undefined }
}

export interface ResponseMetadata {
  id?: string
  timestamp?: Date
  modelId?: string
}

export interface GenerateResult {
  content: Content[]
  finishReason: FinishReason
  usage: TokenUsage
  warnings: Warning[]
  providerMetadata?: ProviderMetadata
  response?: ResponseMetadata
}

export type StreamPart =
  | { type: 'stream-start'; warnings: Warning[] }
  | ({ type: 'response-metadata' } & ResponseMetadata)
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'tool-input-start'; id: string; toolName: string }
  | { type: 'tool-input-delta'; id: string; delta: string }
  | { type: 'tool-input-end'; id: string }
  | { type: 'tool-call'; toolCallId: string; toolName: string; input: string }
  | { type: 'finish'; usage: TokenUsage; finishReason: FinishReason; providerMetadata?: ProviderMetadata }
  | { type: 'error'; error: unknown }

export interface LanguageModel {
  readonly specificationVersion: 'v3'
  readonly provider: string
  readonly modelId: string
  readonly supportedUrls: Record<string, RegExp[]>
  doGenerate(options: CallOptions): Promise<GenerateResult>
  doStream(options: CallOptions): Promise<{ stream: ReadableStream<StreamPart> }>
}
