/** A body of chat completions as a request: what is known is checked, what is not known is ignored, what cannot be done is refused. */
import type {
  ChatContentPart,
  ChatMessage,
  ChatTexts,
  ChatTool,
  ReasoningEffort,
  ToolCall,
  ToolChoice,
} from '../../bindings/chat.js'
import type { OutputConstraint } from '../../bindings/ports.js'
import { badRequest } from './http-error.js'

export type Body = Readonly<Record<string, unknown>>

export interface ParsedChat {
  readonly model: string
  readonly chat: ChatTexts
  readonly temperature?: number
  readonly maxTokens?: number
  readonly output: OutputConstraint
  readonly stream: boolean
  readonly includeUsage: boolean
}

/** Most turns and most tools of a request. */
const mostTurns = 10_000
const mostTools = 512

/** Throws a HttpError of status 400 with the parameter. */
export function parseChat(body: Body): ParsedChat {
  if (body['messages'] === undefined && body['input'] !== undefined)
    throw badRequest("a body with 'input' belongs to /v1/responses; here 'messages' are expected", 'messages')
  refuseUnsupported(body)
  const stream = flag(body, 'stream') ?? false
  const options = body['stream_options']
  const temperature = within(body, 'temperature', 0, 2)
  const maxTokens = count(body, 'max_completion_tokens') ?? count(body, 'max_tokens')
  return {
    model: modelOf(body),
    chat: { messages: messagesOf(body['messages']), ...toolsOf(body), ...samplingOf(body) },
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    output: outputOf(body['response_format']),
    stream,
    includeUsage: stream && isObject(options) && options['include_usage'] === true,
  }
}

export function modelOf(body: Body): string {
  const { model } = body
  if (typeof model !== 'string' || model === '') throw badRequest('name a model: see /v1/models', 'model')
  return model
}

function refuseUnsupported(body: Body): void {
  const asked = (name: string): unknown => body[name] ?? undefined
  if (asked('n') !== undefined && asked('n') !== 1) throw badRequest('one answer a request: n must be 1', 'n')
  if (asked('logprobs') === true || asked('top_logprobs') !== undefined)
    throw badRequest('log probabilities are not supported', 'logprobs')
  if (asked('audio') !== undefined) throw badRequest('audio is not supported', 'audio')
  const modalities = asked('modalities')
  if (Array.isArray(modalities) && modalities.some((each) => each !== 'text'))
    throw badRequest('only text is answered', 'modalities')
  if (asked('functions') !== undefined) throw badRequest("'functions' became 'tools'", 'functions')
}

function samplingOf(body: Body): Partial<ChatTexts> {
  const { stop } = body
  const stops = typeof stop === 'string' ? [stop] : Array.isArray(stop) ? stop : undefined
  if (stops?.some((each) => typeof each !== 'string') || (stops?.length ?? 0) > 16)
    throw badRequest('a text, or up to 16 of them', 'stop')
  return defined<Partial<ChatTexts>>({
    topP: within(body, 'top_p', 0, 1),
    presencePenalty: within(body, 'presence_penalty', -2, 2),
    frequencyPenalty: within(body, 'frequency_penalty', -2, 2),
    seed: whole(body, 'seed'),
    stop: stops as readonly string[] | undefined,
    reasoningEffort: effortOf(body['reasoning_effort']),
    parallelToolCalls: flag(body, 'parallel_tool_calls'),
  })
}

const efforts: ReadonlySet<unknown> = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])

export function effortOf(value: unknown): ReasoningEffort | undefined {
  if (value === undefined || value === null) return undefined
  if (!efforts.has(value)) throw badRequest(`one of ${[...efforts].join(', ')}`, 'reasoning_effort')
  return value as ReasoningEffort
}

function messagesOf(value: unknown): ChatMessage[] {
  if (!Array.isArray(value) || value.length === 0) throw badRequest('a list of at least one message', 'messages')
  if (value.length > mostTurns) throw badRequest(`at most ${mostTurns} messages`, 'messages')
  return value.map((message: unknown, at) => messageOf(message, `messages[${at}]`))
}

function messageOf(value: unknown, where: string): ChatMessage {
  if (!isObject(value)) throw badRequest('a message is an object', where)
  const { role, content } = value
  switch (role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: contentOf(content, where, false) }
    case 'user':
      return { role: 'user', content: contentOf(content, where, true) }
    case 'assistant':
      return { role, content: textOf(content, where), toolCalls: callsOf(value['tool_calls'], where) }
    case 'tool': {
      const id = value['tool_call_id']
      if (typeof id !== 'string') throw badRequest('the call that this is the result of', `${where}.tool_call_id`)
      return { role, content: textOf(content, where), toolCallId: id }
    }
    default:
      throw badRequest('one of system, developer, user, assistant, tool', `${where}.role`)
  }
}

/** Text alone: parts are joined, null is an empty one. */
function textOf(content: unknown, where: string): string {
  if (content === null || content === undefined) return ''
  const parts = contentOf(content, where, false)
  return typeof parts === 'string' ? parts : parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function contentOf(content: unknown, where: string, pictures: boolean): string | ChatContentPart[] {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw badRequest('a text, or a list of parts', `${where}.content`)
  return content.map((part: unknown, at) => partOf(part, `${where}.content[${at}]`, pictures))
}

function partOf(part: unknown, where: string, pictures: boolean): ChatContentPart {
  if (!isObject(part)) throw badRequest('a part is an object', where)
  const { type, text } = part
  // The words of the other interface are understood too: clients mix them.
  if ((type === 'text' || type === 'input_text' || type === 'output_text') && typeof text === 'string')
    return { type: 'text', text }
  if (type === 'refusal' && typeof part['refusal'] === 'string') return { type: 'text', text: part['refusal'] }
  const picture = part['image_url']
  if (pictures && type === 'image_url' && isObject(picture) && typeof picture['url'] === 'string') {
    const { url, detail } = picture
    return { type, image_url: { url, ...(typeof detail === 'string' ? { detail } : {}) } }
  }
  throw badRequest(`parts of ${isWord(type) ? `type '${type}'` : 'that type'} are not supported here`, where)
}

function callsOf(value: unknown, where: string): ToolCall[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw badRequest('a list', `${where}.tool_calls`)
  return value.map((call: unknown, at) => {
    const place = `${where}.tool_calls[${at}]`
    const called = isObject(call) ? call['function'] : undefined
    if (!isObject(call) || !isObject(called) || typeof call['id'] !== 'string' || typeof called['name'] !== 'string')
      throw badRequest('a call has an id and a function with a name', place)
    const { arguments: args } = called
    return {
      id: call['id'],
      name: called['name'],
      arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
    }
  })
}

function toolsOf(body: Body): Partial<ChatTexts> {
  const value = body['tools']
  if (value === undefined || value === null) return {}
  if (!Array.isArray(value) || value.length > mostTools)
    throw badRequest(`a list of at most ${mostTools} tools`, 'tools')
  const tools = value.map((tool: unknown, at) => toolOf(tool, `tools[${at}]`))
  if (tools.length === 0) return {}
  const choice = choiceOf(body['tool_choice'])
  return { tools, ...(choice === undefined ? {} : { toolChoice: choice }) }
}

function toolOf(value: unknown, where: string): ChatTool {
  const inner = isObject(value) ? (value['function'] ?? value) : undefined
  if (!isObject(value) || value['type'] !== 'function' || !isObject(inner))
    throw badRequest("only tools of type 'function' are supported", where)
  const { name, description, parameters, strict } = inner
  if (typeof name !== 'string' || name === '') throw badRequest('a tool has a name', where)
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...(isObject(parameters) ? { parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
  }
}

export function choiceOf(value: unknown): ToolChoice | undefined {
  if (value === undefined || value === null) return undefined
  if (value === 'auto' || value === 'none' || value === 'required') return value
  const named = isObject(value) ? (value['function'] ?? value) : undefined
  if (isObject(named) && typeof named['name'] === 'string') return { name: named['name'] }
  throw badRequest('auto, none, required, or a function by its name', 'tool_choice')
}

function outputOf(format: unknown): OutputConstraint {
  if (format === undefined || format === null) return { kind: 'any' }
  if (!isObject(format)) throw badRequest('an object', 'response_format')
  if (format['type'] === 'text') return { kind: 'any' }
  if (format['type'] === 'json_object') return { kind: 'json' }
  const inner = format['json_schema'] ?? format
  if (format['type'] === 'json_schema' && isObject(inner)) {
    const { schema } = inner
    if (schema === undefined) return { kind: 'json' }
    if (isObject(schema)) return { kind: 'schema', schema }
  }
  throw badRequest('text, json_object, or json_schema with a schema', 'response_format')
}

/** Of `text.format` in the other interface, which has the schema one level higher. */
export const formatOf = outputOf

export function within(body: Body, name: string, least: number, most: number): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw badRequest(`a number from ${least} to ${most}`, name)
}

export function count(body: Body, name: string): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  // −1 stands for no limit in several front ends.
  if (value === -1) return undefined
  if (Number.isSafeInteger(value) && (value as number) >= 1) return Math.min(value as number, 1_000_000)
  throw badRequest('a whole number from 1', name)
}

function whole(body: Body, name: string): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (Number.isSafeInteger(value)) return value as number
  throw badRequest('a whole number', name)
}

export function flag(body: Body, name: string): boolean | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  throw badRequest('true or false', name)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without members that are undefined. */
export function defined<Value extends object>(value: { [Key in keyof Value]: Value[Key] | undefined }): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value
}

/** What a message may quote of a body: a name, and no text that somebody wrote. */
export const isWord = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z][a-z_-]{0,39}$/.test(value)
