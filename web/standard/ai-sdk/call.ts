/** A call of the AI SDK as a request for one answer. */
import type { ChatContentPart, ChatMessage, ChatTexts, ToolCall, ToolChoice } from '../../../bindings/chat.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { OutputConstraint } from '../../../bindings/ports.js'
import type { ChatRequest } from '../chat/request.js'
import type { CallOptions, FilePart, PromptMessage, TextPart, ToolCallPart, ToolResultPart, Warning } from './types.js'

/** What a call may say in `providerOptions.aetherflow`; it only tightens what was set at the beginning. */
export interface CallExtras {
  readonly budgetUsd?: number
  readonly deadlineMs?: number
  readonly cache?: 'no-store' | 'no-cache'
  readonly type?: string
  readonly complexity?: number
}

export interface Translated {
  readonly request: ChatRequest
  readonly extras: CallExtras
  readonly warnings: Warning[]
}

/** Fails: host.usage for what cannot be sent at all. */
export function requestOf(model: string, options: CallOptions, stream: boolean): Translated {
  const extras = (options.providerOptions?.['aetherflow'] ?? {}) as CallExtras
  const { temperature, maxOutputTokens: maxTokens } = options
  const { type, complexity, cache } = extras
  const uses = { 'no-store': 'off', 'no-cache': 'refresh' } as const
  return {
    extras,
    warnings: warningsOf(options),
    request: {
      ...{ model, stream, chat: chatOf(options), output: outputOf(options.responseFormat) },
      ...(cache === undefined ? {} : { cache: uses[cache] }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(type === undefined ? {} : { type }),
      ...(complexity === undefined ? {} : { complexity }),
    },
  }
}

function chatOf(options: CallOptions): ChatTexts {
  const { topP, presencePenalty, frequencyPenalty, seed, stopSequences: stop, tools = [], toolChoice } = options
  const offered = tools.flatMap(({ type, name, description, inputSchema, strict }) =>
    type === 'function'
      ? [
          {
            name,
            ...(description === undefined ? {} : { description }),
            ...(strict === undefined ? {} : { strict }),
            parameters: (inputSchema ?? {}) as Record<string, unknown>,
          },
        ]
      : [],
  )
  return {
    messages: options.prompt.flatMap(turnsOf),
    ...(offered.length === 0 ? {} : { tools: offered }),
    ...(offered.length === 0 || toolChoice === undefined ? {} : { toolChoice: choiceOf(toolChoice) }),
    ...(topP === undefined ? {} : { topP }),
    ...(presencePenalty === undefined ? {} : { presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop }),
  }
}

function choiceOf(choice: NonNullable<CallOptions['toolChoice']>): ToolChoice {
  return choice.type === 'tool' ? { name: choice.toolName } : choice.type
}

function outputOf(format: CallOptions['responseFormat']): OutputConstraint {
  if (format?.type !== 'json') return { kind: 'any' }
  if (typeof format.schema !== 'object' || format.schema === null) return { kind: 'json' }
  return { kind: 'schema', schema: format.schema as Record<string, unknown> }
}

function warningsOf({ topK, tools = [] }: CallOptions): Warning[] {
  const foreign = tools.filter(({ type }) => type !== 'function')
  return [
    ...(topK === undefined ? [] : [{ type: 'unsupported' as const, feature: 'topK' }]),
    ...foreign.map(({ name }) => ({ type: 'unsupported' as const, feature: `tool ${name}` })),
  ]
}

function turnsOf(message: PromptMessage): ChatMessage[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }]
    case 'user':
      return [{ role: 'user', content: message.content.map(partOf) }]
    case 'tool':
      return resultsOf(message.content)
    default: {
      const isText = (part: { type: string }): part is TextPart => part.type === 'text'
      const isCall = (part: { type: string }): part is ToolCallPart => part.type === 'tool-call'
      const text = message.content.filter(isText).map((part) => part.text)
      const toolCalls = message.content.filter(isCall).map(callOf)
      return [{ role: 'assistant', content: text.join(''), toolCalls }, ...resultsOf(message.content)]
    }
  }
}

function resultsOf(parts: readonly { type: string }[]): ChatMessage[] {
  const results = parts.filter((part): part is ToolResultPart => part.type === 'tool-result')
  return results.map(({ toolCallId, output }) => ({ role: 'tool', toolCallId, content: resultText(output) }))
}

function resultText({ type, value, reason }: ToolResultPart['output']): string {
  if (type === 'execution-denied') return reason ?? 'the call was not permitted'
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

const callOf = ({ toolCallId, toolName, input }: ToolCallPart): ToolCall => ({
  id: toolCallId,
  name: toolName,
  arguments: typeof input === 'string' ? input : JSON.stringify(input ?? {}),
})

function partOf(part: TextPart | FilePart): ChatContentPart {
  if (part.type === 'text') return { type: 'text', text: part.text }
  const url = part.mediaType.startsWith('image/') ? imageUrl(part) : undefined
  if (url !== undefined) return { type: 'image_url', image_url: { url } }
  throw new AetherflowError('host.usage', 'prompt', `files of type ${part.mediaType} cannot be sent`)
}

/** Data of either specification: bytes, base64, an address, or an object that names which. */
function imageUrl({ data, mediaType }: FilePart): string | undefined {
  const inner =
    (data as { data?: unknown; url?: unknown } | null)?.data ?? (data as { url?: unknown } | null)?.url ?? data
  if (inner instanceof URL) return inner.href
  if (typeof inner === 'string') return /^(https?|data):/.test(inner) ? inner : `data:${mediaType};base64,${inner}`
  if (!(inner instanceof Uint8Array)) return undefined
  let binary = ''
  for (const byte of inner) binary += String.fromCharCode(byte)
  return `data:${mediaType};base64,${btoa(binary)}`
}
