import type { AnswerRequest } from './answer.js'
import { simulatedProviders, type ProviderProfile, type SimulatedProvider } from './profiles.js'
import { isMap, messageText, prefixOf, type ChatBody, type Refusal, type Route, type Wire } from './wire/wire.js'

/** The provider that an address names in its first part, whatever follows. */
export function providerOf(path: string): SimulatedProvider | undefined {
  const name = /^\/([a-z]+)(?:\/|$)/.exec(path)?.[1]
  return simulatedProviders.find((provider) => provider === name)
}

/**
 * Where a request goes: each provider on its real paths, behind its name.
 *
 *     /{provider}[/openai][/v1]/chat/completions · …/models        the version and Groq's `/openai` may be left out, as there
 *     /deepseek/beta/chat/completions · /deepseek[/v1]/user/balance
 *     /mistral[/v1]/fim/completions
 *     /gemini[/v1beta]/models[/{model}:generateContent | :streamGenerateContent?alt=sse] · …/cachedContents[/{name}]
 */
export function routeOf(method: string, url: URL): Route | undefined {
  const provider = providerOf(url.pathname)
  if (!provider) return undefined
  const path = url.pathname.slice(provider.length + 1)
  if (provider === 'gemini') return geminiRoute(method, path, url)
  if (provider === 'deepseek' && /^\/beta\/chat\/completions$/.test(path))
    return method === 'POST' ? { provider, endpoint: 'chat', beta: true } : undefined
  if (provider === 'deepseek' && /^(?:\/v1)?\/user\/balance$/.test(path))
    return method === 'GET' ? { provider, endpoint: 'balance' } : undefined
  const endpoint = /^(?:\/openai)?(?:\/v1)?\/(chat\/completions|models)$/.exec(path)?.[1]
  if (endpoint === 'models') return method === 'GET' ? { provider, endpoint } : undefined
  if (method !== 'POST') return undefined
  if (endpoint !== undefined) return { provider, endpoint: 'chat' }
  return provider === 'mistral' && /^(?:\/v1)?\/fim\/completions$/.test(path)
    ? { provider, endpoint: 'fim' }
    : undefined
}

function geminiRoute(method: string, path: string, url: URL): Route | undefined {
  const provider = 'gemini'
  const cache = /^(?:\/v1beta)?\/(cachedContents)(\/[\w-]+)?$/.exec(path)
  if (cache) {
    const methods = cache[2] === undefined ? ['GET', 'POST'] : ['GET', 'PATCH', 'DELETE']
    if (!methods.includes(method)) return undefined
    return { provider, endpoint: 'caches', ...(cache[2] !== undefined && { cache: `cachedContents${cache[2]}` }) }
  }
  const match = /^(?:\/v1beta)?\/models(?:\/([^/:]+):(generateContent|streamGenerateContent))?$/.exec(path)
  if (!match) return undefined
  const [, model, action] = match
  if (model === undefined) return method === 'GET' ? { provider, endpoint: 'models' } : undefined
  const streamed = action === 'streamGenerateContent'
  // The other form of the stream, one JSON array, is not played.
  if (method !== 'POST' || (streamed && url.searchParams.get('alt') !== 'sse')) return undefined
  return { provider, endpoint: 'generate', model: decoded(model), streamed }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The key of a request, wherever this provider takes it from. */
export function keyOf(request: Request, url: URL, wire: Wire): string | undefined {
  if (wire.keyOf) return wire.keyOf(request, url)
  return /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
}

export interface ParsedChat {
  readonly body: ChatBody
  readonly model: string
  readonly streamed: boolean
  readonly maxTokens: number
  readonly prompt: Pick<AnswerRequest, 'system' | 'user' | 'format' | 'schema' | 'prefix'>
  readonly problem?: { readonly kind: 'bad_request' | 'not_found'; readonly reason: string }
  /** The provider's own words on what is wrong. */
  readonly refusal?: Refusal
}

/** Where a request names no limit. */
const defaultMaxTokens = 1024

/** Reads the body, hostile ones too; `problem` or `refusal` says why it is refused. */
export function parseRequest(text: string, profile: ProviderProfile, route: Route, wire: Wire): ParsedChat {
  const value = parsed(text)
  const reading = isMap(value) ? wire.read?.(value, route) : undefined
  if (reading && 'refusal' in reading) return { ...parseChat(undefined, profile, route), refusal: reading.refusal }
  const chat = parseChat(reading?.body ?? chatBody(value), profile, route)
  if (chat.problem) return chat
  const refusal = reading ? undefined : wire.refuse(chat.body, route)
  return {
    ...chat,
    ...(reading?.code && { prompt: { ...chat.prompt, format: 'code' } }),
    ...(refusal && { refusal }),
  }
}

function parseChat(body: ChatBody | undefined, profile: ProviderProfile, route: Route): ParsedChat {
  const model = typeof body?.model === 'string' ? body.model : (route.model ?? '')
  const limit = body?.max_completion_tokens ?? body?.max_tokens ?? defaultMaxTokens
  const chat = {
    body: body ?? { messages: [] },
    model,
    streamed: body?.stream === true,
    maxTokens: typeof limit === 'number' ? limit : 0,
    prompt: promptOf(body ?? { messages: [] }),
  }
  const bad = (reason: string) => ({ ...chat, problem: { kind: 'bad_request', reason } as const })
  if (!body) return bad('The body is not a JSON object with messages')
  if (body.messages.length === 0) return bad('messages must not be empty')
  if (model === '') return bad('you must provide a model parameter')
  if (!Number.isSafeInteger(limit) || chat.maxTokens < 1)
    return bad('Invalid max_tokens value, the valid range of max_tokens is [1, 393216]')
  if (profile.models && !profile.models.includes(model)) return { ...chat, problem: { kind: 'not_found', reason: '' } }
  return chat
}

/** The request behind turns that were kept at the provider. */
export function withTurnsBefore(chat: ParsedChat, turns: ChatBody['messages']): ParsedChat {
  const body = { ...chat.body, messages: [...turns, ...chat.body.messages] }
  return { ...chat, body, prompt: promptOf(body) }
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function chatBody(value: unknown): ChatBody | undefined {
  if (!isMap(value)) return undefined
  const { messages } = value
  return Array.isArray(messages) && messages.every((message) => typeof message === 'object' && message !== null)
    ? (value as ChatBody)
    : undefined
}

/** A beginning that is accepted already asks for nothing: the answer is that to the turns before it. */
function promptOf(body: ChatBody): ParsedChat['prompt'] {
  const prefix = prefixOf(body)
  const texts = (wanted: boolean) =>
    (prefix === undefined ? body.messages : body.messages.slice(0, -1))
      .filter(({ role }) => (role === 'system' || role === 'developer') === wanted)
      .map(({ content }) => messageText(content))
      .join('\n')
  const type = body.response_format?.type
  return {
    system: texts(true),
    user: texts(false),
    format: type === 'json_object' || type === 'json_schema' ? type : 'text',
    ...(prefix !== undefined && { prefix }),
    ...(type === 'json_schema' && { schema: body.response_format?.json_schema?.schema }),
  }
}
