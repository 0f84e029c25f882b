/** `POST /v1/responses`, as far as it needs no memory of earlier ones: what clients ask who know no other interface. */
import type { ChatMessage, ChatTool, ToolCall } from '../../bindings/chat.js'
import type { ChatAnswer } from '../../web/standard/chat/chat-run.js'
import { aboutAnswer, Answering, answerHeaders, costAssumed, servedModel, type AnswerStream } from './answering.js'
import {
  choiceOf,
  count,
  defined,
  effortOf,
  flag,
  formatOf,
  isObject,
  modelOf,
  parseChat,
  within,
  type Body,
  type ParsedChat,
} from './chat-body.js'
import type { Call, Context } from './context.js'
import { EventStream } from './event-stream.js'
import { extensionsOf } from './extensions.js'
import { badRequest, HttpError } from './http-error.js'
import { readJson, sendJson } from './http.js'

export async function responses(call: Call, context: Context): Promise<void> {
  const body = await readJson(call.request)
  const extensions = extensionsOf(call.request.headers, body)
  const answering = await Answering.admitted(parseResponses(body), extensions, call, context)
  if (answering.request.stream) return answering.stream(new ResponseEvents(call, context, answering.request.model))
  const answer = await answering.run()
  const headers = { ...call.account.headers(), ...answerHeaders(answer), 'x-request-id': call.id }
  sendJson(call.response, 200, whole(answer, answering.request.model, call, context), headers)
}

/** Throws a HttpError of status 400 with the parameter. */
export function parseResponses(body: Body): ParsedChat {
  for (const name of ['previous_response_id', 'conversation'])
    if (body[name] !== undefined && body[name] !== null)
      throw badRequest('this server keeps no earlier responses: send all turns as input', name)
  const { instructions, input, text, reasoning } = body
  const system: ChatMessage[] = typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : []
  const temperature = within(body, 'temperature', 0, 2)
  const maxTokens = count(body, 'max_output_tokens')
  const tools = toolsOf(body['tools'])
  const toolChoice = tools.length === 0 ? undefined : choiceOf(body['tool_choice'])
  return {
    model: modelOf(body),
    chat: {
      messages: [...system, ...turnsOf(input)],
      ...(tools.length === 0 ? {} : { tools }),
      ...defined({
        toolChoice,
        topP: within(body, 'top_p', 0, 1),
        parallelToolCalls: flag(body, 'parallel_tool_calls'),
        reasoningEffort: effortOf(isObject(reasoning) ? reasoning['effort'] : undefined),
      }),
    },
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    output: formatOf(isObject(text) ? text['format'] : undefined),
    stream: flag(body, 'stream') ?? false,
    includeUsage: true,
  }
}

/** Items of the input as turns. Thoughts of earlier turns are left out: no provider here takes them back. */
function turnsOf(input: unknown): ChatMessage[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  if (!Array.isArray(input) || input.length === 0) throw badRequest('a text, or a list of items', 'input')
  const turns: ChatMessage[] = []
  for (const [at, item] of (input as unknown[]).entries()) {
    if (!isObject(item)) throw badRequest('an item is an object', `input[${at}]`)
    if (item['type'] === 'function_call') addCall(turns, item, at)
    else if (item['type'] === 'function_call_output') turns.push(resultOf(item, at))
    else if (item['type'] !== 'reasoning') turns.push(...parsedTurn(item, at))
  }
  return turns
}

function parsedTurn(item: Body, at: number): readonly ChatMessage[] {
  try {
    return parseChat({ model: '-', messages: [item] }).chat.messages
  } catch (error) {
    if (error instanceof HttpError) throw badRequest(error.message, `input[${at}]`)
    throw error
  }
}

/** Calls belong to the assistant's turn before them. */
function addCall(turns: ChatMessage[], { call_id: id, name, arguments: args }: Body, at: number): void {
  if (typeof id !== 'string' || typeof name !== 'string')
    throw badRequest('a call has a call_id and a name', `input[${at}]`)
  const call: ToolCall = { id, name, arguments: typeof args === 'string' ? args : '{}' }
  const last = turns.at(-1)
  if (last?.role === 'assistant') turns[turns.length - 1] = { ...last, toolCalls: [...last.toolCalls, call] }
  else turns.push({ role: 'assistant', content: '', toolCalls: [call] })
}

function resultOf({ call_id: id, output }: Body, at: number): ChatMessage {
  if (typeof id !== 'string') throw badRequest('a result names its call_id', `input[${at}]`)
  return { role: 'tool', toolCallId: id, content: typeof output === 'string' ? output : JSON.stringify(output ?? '') }
}

/** Tools of other types are left out: clients offer their server's own to every server. */
function toolsOf(value: unknown): ChatTool[] {
  if (!Array.isArray(value)) return []
  return (value as unknown[]).flatMap((tool) => {
    if (!isObject(tool) || tool['type'] !== 'function' || typeof tool['name'] !== 'string') return []
    const { name, description, parameters, strict } = tool
    const told = {
      ...(typeof description === 'string' ? { description } : {}),
      ...(isObject(parameters) ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    }
    return [{ name: name as string, ...told }]
  })
}

const messageId = (id: string): string => `msg_${id}`

const textPart = (text: string): object => ({ type: 'output_text', text, annotations: [], logprobs: [] })

const messageItem = (id: string, text: string, status: string): object => ({
  id: messageId(id),
  type: 'message',
  role: 'assistant',
  status,
  content: status === 'completed' ? [textPart(text)] : [],
})

const callItem = ({ id, name, arguments: args }: ToolCall, at: number, requestId: string): object => ({
  id: `fc_${requestId}_${at}`,
  type: 'function_call',
  status: 'completed',
  call_id: id,
  name,
  arguments: args,
})

function whole(answer: ChatAnswer, asked: string, call: Call, { service }: Context): object {
  const { text, toolCalls, finish, usage, costMicroUsd } = answer
  const cut = finish === 'length' || finish === 'content_filter'
  const reason = finish === 'length' ? 'max_output_tokens' : 'content_filter'
  const items = text === '' && toolCalls.length > 0 ? [] : [messageItem(call.id, text, 'completed')]
  return {
    ...shell(call.id, servedModel(answer, asked)),
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason } : null,
    output: [...items, ...toolCalls.map((each, at) => callItem(each, at, call.id))],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: usage.reasoning },
      total_tokens: usage.input + usage.output,
      cost: costMicroUsd / 1e6,
      ...costAssumed(answer),
    },
    aetherflow: aboutAnswer(answer, call.id, service.simulated),
  }
}

const shell = (id: string, model: string) => ({
  id: `resp_${id}`,
  object: 'response',
  created_at: Math.floor(Date.now() / 1000),
  status: 'in_progress',
  error: null as object | null,
  incomplete_details: null as object | null,
  instructions: null,
  metadata: {},
  model,
  output: [] as object[],
  parallel_tool_calls: true,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_p: null,
  usage: null as object | null,
})

/** The events of one response, in the order that clients insist on. */
class ResponseEvents implements AnswerStream {
  readonly #stream: EventStream
  readonly #call: Call
  readonly #context: Context
  readonly #asked: string
  #number = 0
  #begun = false
  #text = ''
  #opened = false
  #items = 0

  constructor(call: Call, context: Context, asked: string) {
    this.#call = call
    this.#context = context
    this.#asked = asked
    const headers = { ...call.account.headers(), 'x-request-id': call.id, 'x-aetherflow-run-id': call.id }
    this.#stream = new EventStream(call.response, { headers, beat: (write) => context.beat(write) })
  }

  text(piece: string): void {
    if (piece === '') return
    this.#open()
    this.#text += piece
    this.#send('response.output_text.delta', { ...this.#place(), delta: piece, logprobs: [] })
  }

  restarted(): boolean {
    return this.#text === ''
  }

  finish(answer: ChatAnswer): void {
    this.#begin()
    if (answer.text !== '' || answer.toolCalls.length === 0) this.#open()
    if (this.#text === '') this.text(answer.text)
    this.#close()
    answer.toolCalls.forEach((each, at) => this.#tool(each, at))
    const response = whole(answer, this.#asked, this.#call, this.#context)
    const cut = answer.finish === 'length' || answer.finish === 'content_filter'
    this.#send(cut ? 'response.incomplete' : 'response.completed', { response })
    this.#stream.end()
  }

  /** False: a status can still be told. */
  fail({ code, message }: HttpError): boolean {
    if (!this.#stream.begun) return false
    this.#begin()
    const response = { ...shell(this.#call.id, this.#asked), status: 'failed', error: { code, message } }
    this.#send('response.failed', { response })
    this.#stream.end()
    return true
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    const response = shell(this.#call.id, this.#asked)
    this.#send('response.created', { response })
    this.#send('response.in_progress', { response })
  }

  #open(): void {
    if (this.#opened) return
    this.#begin()
    this.#opened = true
    this.#send('response.output_item.added', {
      output_index: this.#items,
      item: messageItem(this.#call.id, '', 'in_progress'),
    })
    this.#send('response.content_part.added', { ...this.#place(), part: textPart('') })
  }

  #close(): void {
    if (!this.#opened) return
    this.#send('response.output_text.done', { ...this.#place(), text: this.#text, logprobs: [] })
    this.#send('response.content_part.done', { ...this.#place(), part: textPart(this.#text) })
    this.#send('response.output_item.done', {
      output_index: this.#items,
      item: messageItem(this.#call.id, this.#text, 'completed'),
    })
    this.#items += 1
  }

  #tool(each: ToolCall, at: number): void {
    const item = callItem(each, at, this.#call.id) as { readonly id: string }
    const place = { output_index: this.#items, item_id: item.id }
    this.#send('response.output_item.added', {
      output_index: this.#items,
      item: { ...item, status: 'in_progress', arguments: '' },
    })
    this.#send('response.function_call_arguments.delta', { ...place, delta: each.arguments })
    this.#send('response.function_call_arguments.done', { ...place, name: each.name, arguments: each.arguments })
    this.#send('response.output_item.done', { output_index: this.#items, item })
    this.#items += 1
  }

  #place(): object {
    return { item_id: messageId(this.#call.id), output_index: this.#items, content_index: 0 }
  }

  #send(type: string, members: object): void {
    this.#stream.send({ type, sequence_number: this.#number++, ...members }, { event: type })
  }
}
