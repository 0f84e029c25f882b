/** A request for one answer to a conversation, no matter who brings it: the server, or a language model object in a program. */
import { contentText, type ChatTexts } from '../../../bindings/chat.js'
import type { OutputConstraint } from '../../../bindings/ports.js'

/** How far an answer of earlier work may be used: `refresh` only writes, `off` neither reads nor writes. */
export type ChatCacheUse = 'on' | 'refresh' | 'off'

export interface ChatRequest {
  /** `auto` or a mode, or `provider/model`. */
  readonly model: string
  readonly chat: ChatTexts
  readonly temperature?: number
  /** Most tokens of the answer, as the caller limits it; absent: `defaultMaxTokens`. An answer that is cut there is an answer. */
  readonly maxTokens?: number
  readonly output: OutputConstraint
  readonly stream: boolean
  /** Type of the step, which decides its route; absent: the default rule. */
  readonly type?: string
  /** 0–1; absent: as of a step that does not say. */
  readonly complexity?: number
  readonly cache?: ChatCacheUse
  /** Of a greater priority when limits are shared; −1000…1000. */
  readonly priority?: number
}

/** Most tokens of an answer whose caller sets no limit. */
export const defaultMaxTokens = 8192

/** The only step of the run. */
export const chatStep = 'chat'

/** All system texts, and everything else, as texts: what is estimated, audited, and looked through for words. */
export function textsOf({ messages }: ChatTexts): { readonly system: string; readonly user: string } {
  const system = messages.filter(({ role }) => role === 'system').map(({ content }) => contentText(content))
  const others = messages.filter(({ role }) => role !== 'system')
  const [only] = others
  if (others.length === 1 && only?.role === 'user')
    return { system: system.join('\n\n'), user: contentText(only.content) }
  const user = others.map((message) => {
    const calls =
      message.role === 'assistant'
        ? message.toolCalls.map(({ name, arguments: args }) => `\n[calls ${name} ${args}]`)
        : []
    return `${message.role}: ${contentText(message.content)}${calls.join('')}`
  })
  return { system: system.join('\n\n'), user: user.join('\n\n') }
}

/** Whether only hosts of chat completions can be asked: tools and pictures have another form elsewhere. */
export function needsChatFormat({ chat }: ChatRequest): boolean {
  if (chat.tools?.length) return true
  return chat.messages.some(
    ({ role, content }) =>
      role === 'tool' || (typeof content !== 'string' && content.some(({ type }) => type !== 'text')),
  )
}

/** Braces of a caller are no template. */
const escaped = (text: string): string => text.replaceAll('{{', "{{'{{'}}")

/** The run's plan: one step whose description is the conversation. What is sent is the conversation itself, see chat-performer.ts. */
export function planOf(request: ChatRequest): Uint8Array {
  const { system, user } = textsOf(request.chat)
  const { model, output, maxTokens = defaultMaxTokens, type, complexity, priority } = request
  const description = escaped(system === '' ? user : `${system}\n\n${user}`)
  const step = {
    id: chatStep,
    type: type ?? 'chat',
    // A step describes something.
    description: description.trim() === '' ? '-' : description,
    // The limit of an answer is four times what is expected of it.
    estimated_tokens: Math.max(1, Math.ceil(maxTokens / 4)),
    ...(complexity === undefined ? {} : { complexity }),
    ...(priority === undefined ? {} : { priority }),
    ...outputOf(request, output),
    ...(model.includes('/') ? { provider: model } : {}),
    ...(mayBeCached(request) ? {} : { cache: 'off' }),
    // What was shown cannot be taken back.
    on_interrupt: request.stream ? 'continue' : 'restart',
  }
  return new TextEncoder().encode(JSON.stringify({ task_id: 'chat', description: '', steps: [step] }))
}

/** Beside tools an answer may be a call, so the core checks nothing, and what the caller wants is handed on. */
function outputOf({ chat }: ChatRequest, output: OutputConstraint): { readonly output?: unknown } {
  if (chat.tools?.length || output.kind === 'any') return {}
  return { output: output.kind === 'schema' ? output.schema : output.kind }
}

/** What calls tools or shows pictures depends on more than its texts. */
export function mayBeCached(request: ChatRequest): boolean {
  return request.cache !== 'off' && !needsChatFormat(request)
}

/** The mode of the run. */
export function modeOf({ model }: ChatRequest): string {
  return model.includes('/') || model === 'auto' ? 'build' : model
}
