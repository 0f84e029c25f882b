import { contentText, type ChatMessage } from '../../../bindings/chat.js'
import type { ModelRequest } from '../../../bindings/ports.js'
import { openApiSchema } from './gemini-schema.js'

/** How much a model thinks before it answers: a budget of tokens for the 2.5 family, a level for later ones; never both. */
export type Thinking =
  { readonly thinkingBudget: number } | { readonly thinkingLevel: 'minimal' | 'low' | 'medium' | 'high' }

/** Turns of a conversation; the system's are in `system` already. Tools are not offered to Gemini, so no turn calls one. */
function geminiTurns(messages: readonly ChatMessage[]): readonly object[] {
  return messages
    .filter(({ role }) => role !== 'system')
    .map(({ role, content }) => ({
      role: role === 'assistant' ? 'model' : 'user',
      parts: [{ text: contentText(content) }],
    }))
}

/** The request as `generateContent` takes it. A cached content holds the system text: beside one it is refused. */
export function geminiBody(
  request: ModelRequest,
  thinking?: Thinking,
  cachedContent?: string,
): Readonly<Record<string, unknown>> {
  const { system, user, maxOutputTokens, temperature, chat } = request
  return {
    ...(cachedContent !== undefined
      ? { cachedContent }
      : system !== '' && { systemInstruction: { parts: [{ text: system }] } }),
    contents: chat === undefined ? [{ role: 'user', parts: [{ text: user }] }] : geminiTurns(chat.messages),
    generationConfig: {
      // Thinking counts against it too.
      maxOutputTokens,
      ...(temperature !== undefined && { temperature }),
      ...(chat?.topP !== undefined && { topP: chat.topP }),
      ...(chat?.seed !== undefined && { seed: chat.seed }),
      ...(chat?.stop?.length && { stopSequences: chat.stop }),
      ...format(request),
      ...(thinking && { thinkingConfig: thinking }),
    },
  }
}

/**
 * The least thinking of a model: thinking is billed as output and delays the first word. 2.5 Flash can do without, 2.5 Pro
 * takes no less than 128 tokens; from 3 on all know `low`, and only the lite models are documented to know `minimal` across
 * versions (3.8 Flash begins at `low`). Earlier and unknown models are left alone: they refuse the setting.
 */
export function lowLatencyThinking(model: string): Thinking | undefined {
  const [, major, minor, kind = ''] = /^(?:models\/)?gemini-(\d+)(?:\.(\d+))?-(.+)$/.exec(model) ?? []
  if (major === undefined) return undefined
  if (Number(major) >= 3) return { thinkingLevel: kind.startsWith('flash-lite') ? 'minimal' : 'low' }
  if (major !== '2' || minor !== '5') return undefined
  return kind.startsWith('flash') ? { thinkingBudget: 0 } : kind.startsWith('pro') ? { thinkingBudget: 128 } : undefined
}

/** `responseSchema` and `responseJsonSchema` exclude each other, and both want the media type. */
function format({ output }: ModelRequest): object {
  const json = { responseMimeType: 'application/json' }
  if (output.kind !== 'schema') return output.kind === 'json' ? json : {}
  const schema = openApiSchema(output.schema)
  return { ...json, ...(schema ? { responseSchema: schema } : { responseJsonSchema: output.schema }) }
}
