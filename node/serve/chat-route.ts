/** `POST /v1/chat/completions`. */
import type { ToolCall } from '../../bindings/chat.js'
import type { ChatAnswer } from '../../web/standard/chat/chat-run.js'
import { aboutAnswer, Answering, answerHeaders, costAssumed, servedModel, type AnswerStream } from './answering.js'
import { parseChat } from './chat-body.js'
import type { Call, Context } from './context.js'
import { EventStream } from './event-stream.js'
import { extensionsOf } from './extensions.js'
import { HttpError } from './http-error.js'
import { readJson, sendJson } from './http.js'

export async function chatCompletions(call: Call, context: Context): Promise<void> {
  const body = await readJson(call.request)
  const parsed = parseChat(body)
  const answering = await Answering.admitted(parsed, extensionsOf(call.request.headers, body), call, context)
  if (parsed.stream) return answering.stream(new Chunks(call, context, answering.request.model, parsed.includeUsage))
  const answer = await answering.run()
  const { simulated } = context.service
  const headers = { ...call.account.headers(), ...answerHeaders(answer), 'x-request-id': call.id }
  sendJson(call.response, 200, completion(answer, answering.request.model, call.id, simulated), headers)
}

function completion(answer: ChatAnswer, asked: string, id: string, simulated: string | undefined): object {
  const { text, toolCalls, finish } = answer
  const calls = toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map((each) => toolCall(each)) }
  const content = text === '' && toolCalls.length > 0 ? null : text
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: now(),
    model: servedModel(answer, asked),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content, refusal: null, ...calls },
        logprobs: null,
        finish_reason: finishWord(finish),
      },
    ],
    usage: usageOf(answer),
    aetherflow: aboutAnswer(answer, id, simulated),
  }
}

/** The chunks of one answer. All have one id; the first names the role; the last before `[DONE]` has the counts, when asked for. */
class Chunks implements AnswerStream {
  readonly #stream: EventStream
  readonly #call: Call
  readonly #context: Context
  readonly #includeUsage: boolean
  readonly #created = now()
  #model: string
  #shown = 0
  #broken = false
  #begun = false

  constructor(call: Call, context: Context, model: string, includeUsage: boolean) {
    this.#call = call
    this.#context = context
    this.#model = model
    this.#includeUsage = includeUsage
    const headers = { ...call.account.headers(), 'x-request-id': call.id, 'x-aetherflow-run-id': call.id }
    this.#stream = new EventStream(call.response, { headers, beat: (write) => context.beat(write) })
  }

  /** Until something was shown: all chunks name one model. */
  served(model: string): void {
    if (!this.#begun) this.#model = model
  }

  text(piece: string): void {
    if (piece === '' || this.#broken) return
    this.#shown += piece.length
    this.#delta({ content: piece })
  }

  /** False: something was shown already, so the answer is over. */
  restarted(): boolean {
    if (this.#shown === 0) return true
    this.#broken = true
    return false
  }

  finish(answer: ChatAnswer): void {
    if (this.#broken) return void this.fail(interrupted())
    this.#model = this.#begun ? this.#model : servedModel(answer, this.#model)
    if (this.#shown === 0) this.text(answer.text)
    answer.toolCalls.forEach((each, index) => this.#delta({ tool_calls: [{ index, ...toolCall(each) }] }))
    const { simulated } = this.#context.service
    const aetherflow = aboutAnswer(answer, this.#call.id, simulated)
    this.#chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: finishWord(answer.finish) }], { aetherflow })
    if (this.#includeUsage) this.#chunk([], { usage: usageOf(answer) })
    this.#stream.send('[DONE]')
    this.#stream.end()
  }

  /** Told within the stream when it has begun: no finish reason, no counts that nobody made. False: a status can still be told. */
  fail(error: HttpError): boolean {
    if (!this.#stream.begun) return false
    this.#stream.send((this.#broken ? interrupted() : error).body)
    this.#stream.end()
    return true
  }

  #delta(delta: object): void {
    this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: null }])
  }

  #chunk(choices: readonly object[], more: object = {}): void {
    if (!this.#begun) {
      this.#begun = true
      this.#chunk([{ index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }])
    }
    const usage = this.#includeUsage ? { usage: null } : {}
    this.#stream.send({
      id: `chatcmpl-${this.#call.id}`,
      object: 'chat.completion.chunk',
      created: this.#created,
      model: this.#model,
      choices,
      ...usage,
      ...more,
    })
  }
}

const interrupted = (): HttpError =>
  new HttpError(502, 'provider_truncated', 'the answer broke off after its beginning was sent')

const toolCall = ({ id, name, arguments: args }: ToolCall): object => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})

const finishWord = (finish: ChatAnswer['finish']): string => (finish === 'other' ? 'stop' : finish)

const now = (): number => Math.floor(Date.now() / 1000)

function usageOf(answer: ChatAnswer): object {
  const { input, cached, output, reasoning } = answer.usage
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
    cost: answer.costMicroUsd / 1e6,
    ...costAssumed(answer),
  }
}
