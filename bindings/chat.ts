/** A conversation as its caller gives it, in the members of chat completions, which providers of that format take as they are. */

/** A piece of a turn; only `text` is understood here, the others are passed on to providers that take them. */
export type ChatContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string; readonly detail?: string } }

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON, as the model wrote it. */
  readonly arguments: string
}

export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string | readonly ChatContentPart[] }
  | { readonly role: 'assistant'; readonly content: string; readonly toolCalls: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string }

export interface ChatTool {
  readonly name: string
  readonly description?: string
  /** JSON Schema of its arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly strict?: boolean
}

/** `{ name }`: this tool and no other. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

/** How much a model is to think, as the caller wishes. */
export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** What of a request is sent as its caller wrote it. Each provider gets the settings that it knows. */
export interface ChatTexts {
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly ChatTool[]
  readonly toolChoice?: ToolChoice
  readonly parallelToolCalls?: boolean
  readonly topP?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly seed?: number
  readonly stop?: readonly string[]
  readonly reasoningEffort?: ReasoningEffort
}

/** The text of a turn's content; other parts are named in brackets, so that two different ones never look alike. */
export function contentText(content: string | readonly ChatContentPart[]): string {
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? part.text : `[image ${part.image_url.url}]`)).join('\n')
}
