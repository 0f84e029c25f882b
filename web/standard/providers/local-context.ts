/**
 * What hosts that people run themselves tell of the context that a model was loaded with, tokens of prompt and answer together. A host
 * that says nothing is believed to hold what its table says. Sources: docs.ollama.com/api/ps, lmstudio.ai/docs/developer/rest (v0), and
 * what llama.cpp and vLLM answer.
 */
import type { ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'
import { baseAddress, bearer, type ClientConfig } from './exchange.js'
import { callJson } from './json-call.js'

type Fields = Readonly<Record<string, unknown>>

interface Told {
  /** Below the host's address without its `/v1`. */
  readonly path: string
  context(reply: Fields, model: string): unknown
}

const listed = (list: unknown, member: string, id: string): Fields | undefined =>
  Array.isArray(list) ? (list as Fields[]).find((one) => one?.[member] === id) : undefined

/** By the name of the preset. */
const hosts: Readonly<Record<string, Told>> = {
  // Of one slot, as it was started.
  llamacpp: {
    path: '/props',
    context: (reply) => (reply['default_generation_settings'] as Fields | undefined)?.['n_ctx'],
  },
  // Of models that are loaded, which the first request does. A name without a tag means the latest.
  ollama: {
    path: '/api/ps',
    context: ({ models }, model) =>
      (listed(models, 'name', model) ?? listed(models, 'name', `${model}:latest`))?.['context_length'],
  },
  lmstudio: {
    path: '/api/v0/models',
    context: ({ data }, model) => listed(data, 'id', model)?.['loaded_context_length'],
  },
  vllm: { path: '/v1/models', context: ({ data }, model) => listed(data, 'id', model)?.['max_model_len'] },
}

/** Longest wait for the host's word, ms: it is on this machine or near, and without it the call goes all the same. */
const askMs = 2000
/** Characters of a token, on average: nobody here has the model's own table. */
const charsPerToken = 4

/** Whether a host of that preset may tell its context. */
export const tellsContext = (preset: string | undefined): preset is string =>
  preset !== undefined && Object.hasOwn(hosts, preset)

/** What the host says of the model, tokens; undefined: nothing, or it is not there. Never rejects. */
export async function toldContext(config: ClientConfig, preset: string, model: string): Promise<number | undefined> {
  const { path, context } = hosts[preset]!
  const url = `${baseAddress(config.baseUrl).replace(/\/v1$/, '')}${path}`
  const asking = { ...config, timeouts: { totalMs: askMs } }
  const exchange = { method: 'GET', url, authorisation: bearer } as const
  const reply = await callJson(asking, exchange, new AbortController().signal).catch(() => undefined)
  const told = context((reply ?? {}) as Fields, model)
  return typeof told === 'number' && Number.isSafeInteger(told) && told > 0 ? told : undefined
}

/**
 * The client, watching over prompts that the host's context does not hold: some hosts cut them without a word, and answer what is
 * left. One that is longer is not sent, and one that was cut does not count as answered: both are `too_large`. The same client where
 * no host of that name tells anything.
 */
export function withinContext(client: ModelClient, config: ClientConfig, preset: string | undefined): ModelClient {
  if (!tellsContext(preset)) return client
  const known = new Map<string, number>()
  const ask = async (model: string): Promise<number | undefined> => {
    const context = known.get(model) ?? (await toldContext(config, preset, model))
    if (context !== undefined) known.set(model, context)
    return context
  }
  return {
    async generate(request, signal, observer) {
      const tokens = tokensOf(request)
      const before = await ask(request.model)
      if (before !== undefined && tokens > before) throw tooLong(tokens, before)
      const reply = await client.generate(request, signal, observer)
      // Loaded by now, if it was not before.
      const context = before ?? (await ask(request.model))
      if (context !== undefined && wasCut(reply, tokens, context)) throw cut(reply, tokens, context)
      return reply
    },
  }
}

const tokensOf = ({ system, user, prefix = '' }: ModelRequest): number =>
  Math.ceil((system.length + user.length + prefix.length) / charsPerToken)

/** The context was full, and what was read is far less than what was sent. */
const wasCut = ({ usage }: ModelReply, tokens: number, context: number): boolean =>
  usage !== undefined && usage.input < tokens / 2 && usage.input + usage.output >= 0.95 * context

const advice = 'load the model with a larger context, or give the step less'

const tooLong = (tokens: number, context: number): CallFailure =>
  new CallFailure('too_large', `the prompt has about ${tokens} tokens, and the host holds ${context}: ${advice}`)

const cut = ({ usage }: ModelReply, tokens: number, context: number): CallFailure =>
  new CallFailure(
    'too_large',
    `the host read ${usage!.input} of about ${tokens} tokens, as it holds ${context}: ${advice}`,
    { usage: usage! },
  )
