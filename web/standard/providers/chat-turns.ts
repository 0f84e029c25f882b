/** Turns, tools and settings of a caller in the words of chat completions. */
import type { ChatContentPart, ChatMessage, ChatTexts, ChatTool, ToolCall } from '../../../bindings/chat.js'
import type { ModelRequest } from '../../../bindings/ports.js'

/** A setting of a caller, by the member of chat completions that carries it. */
export type ChatSetting =
  | 'top_p'
  | 'stop'
  | 'seed'
  | 'random_seed'
  | 'presence_penalty'
  | 'frequency_penalty'
  | 'reasoning_effort'
  | 'parallel_tool_calls'

export function turns(messages: readonly ChatMessage[], systemRole: 'system' | 'developer'): readonly object[] {
  return messages.map((message) => {
    switch (message.role) {
      case 'system':
        return { role: systemRole, content: plainWhereText(message.content) }
      case 'user':
        return { role: 'user', content: plainWhereText(message.content) }
      case 'tool':
        return { role: 'tool', tool_call_id: message.toolCallId, content: message.content }
      default:
        return assistantTurn(message.content, message.toolCalls)
    }
  })
}

/** Beside tool calls an empty text is left out: several hosts refuse an empty string there. */
function assistantTurn(content: string, calls: readonly ToolCall[]): object {
  if (calls.length === 0) return { role: 'assistant', content }
  const tool_calls = calls.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
  }))
  return { role: 'assistant', content: content === '' ? null : content, tool_calls }
}

/** Parts that are all text become one string, as some hosts take no other. */
function plainWhereText(content: string | readonly ChatContentPart[]): string | readonly ChatContentPart[] {
  if (typeof content === 'string' || content.some(({ type }) => type !== 'text')) return content
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
}

/** Tools of a request, and those of its settings that the host `knows`. Nothing for requests of plans. */
export function callerSettings({ chat }: ModelRequest, knows: ReadonlySet<ChatSetting>): Record<string, unknown> {
  if (chat === undefined) return {}
  const settings: Readonly<Record<ChatSetting, unknown>> = {
    top_p: chat.topP,
    stop: chat.stop?.length ? chat.stop : undefined,
    seed: chat.seed,
    random_seed: chat.seed,
    presence_penalty: chat.presencePenalty,
    frequency_penalty: chat.frequencyPenalty,
    reasoning_effort: chat.reasoningEffort,
    parallel_tool_calls: chat.tools?.length ? chat.parallelToolCalls : undefined,
  }
  const known = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && knows.has(name as ChatSetting),
  )
  return { ...toolsOf(chat), ...Object.fromEntries(known) }
}

function toolsOf({ tools = [], toolChoice }: ChatTexts): object {
  if (tools.length === 0) return {}
  const choice = typeof toolChoice === 'object' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice
  return { tools: tools.map(toolOf), ...(choice === undefined ? {} : { tool_choice: choice }) }
}

const toolOf = ({ name, description, parameters, strict }: ChatTool): object => ({
  type: 'function',
  function: {
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(strict === undefined ? {} : { strict }),
  },
})
