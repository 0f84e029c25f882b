import type { AnswerRequest } from './answer.js'
import { simulatedProviders, type ProviderProfile, type SimulatedProvider } from './profiles.js'
import { messageText, type ChatBody } from './wire/wire.js'

export interface Route {
  readonly provider: SimulatedProvider
  readonly endpoint: 'chat' | 'models'
}

/** `/{provider}/v1/…`; the version and Groq's `/openai` before it may be left out, as at the real hosts. */
export function routeOf(method: string, path: string): Route | undefined {
  const match = /^\/([a-z]+)(?:\/openai)?(?:\/v1)?\/(chat\/completions|models)$/.exec(path)
  const provider = simulatedProviders.find((name) => name === match?.[1])
  const endpoint = match?.[2] === 'models' ? 'models' : 'chat'
  return provider && method === (endpoint === 'models' ? 'GET' : 'POST') ? { provider, endpoint } : undefined
}

export interface ParsedChat {
  readonly body: ChatBody
  readonly model: string
  readonly streamed: boolean
  readonly maxTokens: number
  readonly prompt: Pick<AnswerRequest, 'system' | 'user' | 'format' | 'schema'>
  readonly problem?: { readonly kind: 'bad_request' | 'not_found'; readonly reason: string }
}

/** Where a request names no limit. */
const defaultMaxTokens = 1024

/** Reads the body, hostile ones too; `problem` says why it is refused by every provider alike. */
export function parseChat(text: string, profile: ProviderProfile): ParsedChat {
  const body = chatBody(text)
  const model = typeof body?.model === 'string' ? body.model : ''
  const limit = body?.max_completion_tokens ?? body?.max_tokens ?? defaultMaxTokens
  const parsed = {
    body: body ?? { messages: [] },
    model,
    streamed: body?.stream === true,
    maxTokens: typeof limit === 'number' ? limit : 0,
    prompt: promptOf(body ?? { messages: [] }),
  }
  const bad = (reason: string) => ({ ...parsed, problem: { kind: 'bad_request', reason } as const })
  if (!body) return bad('The body is not a JSON object with messages')
  if (body.messages.length === 0) return bad('messages must not be empty')
  if (model === '') return bad('you must provide a model parameter')
  if (!Number.isSafeInteger(limit) || parsed.maxTokens < 1)
    return bad('Invalid max_tokens value, the valid range of max_tokens is [1, 393216]')
  if (profile.models && !profile.models.includes(model))
    return { ...parsed, problem: { kind: 'not_found', reason: '' } }
  return parsed
}

function chatBody(text: string): ChatBody | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { messages } = value as { messages?: unknown }
  const wellFormed =
    Array.isArray(messages) && messages.every((message) => typeof message === 'object' && message !== null)
  return wellFormed ? (value as ChatBody) : undefined
}

function promptOf(body: ChatBody): ParsedChat['prompt'] {
  const texts = (wanted: boolean) =>
    body.messages
      .filter(({ role }) => (role === 'system' || role === 'developer') === wanted)
      .map(({ content }) => messageText(content))
      .join('\n')
  const type = body.response_format?.type
  return {
    system: texts(true),
    user: texts(false),
    format: type === 'json_object' || type === 'json_schema' ? type : 'text',
    ...(type === 'json_schema' && { schema: body.response_format?.json_schema?.schema }),
  }
}
