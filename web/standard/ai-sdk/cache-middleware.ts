/** A middleware that answers calls of any model of the AI SDK from the semantic cache, and keeps what is answered. */
import type { AnswerCache, CacheMode, CachePut, CacheQuestion } from '../../../bindings/cache/ports.js'
import type {
  CallOptions,
  Content,
  FinishReason,
  GenerateResult,
  LanguageModel,
  PromptMessage,
  StreamPart,
} from './types.js'

export interface CacheMiddlewareOptions {
  /** Default: the cache's own. Conversations of several turns are exact in any case. */
  readonly mode?: CacheMode
  /** Whose answers. */
  readonly tenant?: string
}

interface Wrapped<Result> {
  doGenerate(): PromiseLike<GenerateResult>
  doStream(): PromiseLike<{ stream: ReadableStream<StreamPart> }>
  params: CallOptions
  model: Pick<LanguageModel, 'provider' | 'modelId'>
  readonly result?: Result
}

export interface CacheMiddleware {
  readonly specificationVersion: 'v3'
  wrapGenerate(call: Wrapped<GenerateResult>): Promise<GenerateResult>
  wrapStream(call: Wrapped<unknown>): Promise<{ stream: ReadableStream<StreamPart> }>
}

const none = { total: 0, noCache: 0, cacheRead: undefined, cacheWrite: undefined }
const noTokens = { inputTokens: none, outputTokens: { total: 0, text: 0, reasoning: 0 } }
const stop: FinishReason = { unified: 'stop', raw: undefined }

/** Calls with tools or files go through: their answers depend on more than texts. A cache that fails takes nothing from a call. */
export function cacheMiddleware(cache: AnswerCache, options: CacheMiddlewareOptions = {}): CacheMiddleware {
  return {
    specificationVersion: 'v3',
    async wrapGenerate({ doGenerate, params, model }) {
      const question = questionOf(params, model, options)
      const found = question && (await look(cache, question))
      if (found !== undefined)
        return { content: [{ type: 'text', text: found }], finishReason: stop, usage: noTokens, warnings: [] }
      const result = await doGenerate()
      if (question !== undefined) await keep(cache, question, result)
      return result
    },
    async wrapStream({ doStream, params, model }) {
      const question = questionOf(params, model, options)
      const found = question && (await look(cache, question))
      if (found !== undefined) return { stream: streamOf(found) }
      const result = await doStream()
      if (question === undefined) return result
      return { ...result, stream: result.stream.pipeThrough(keeping(cache, question)) }
    },
  }
}

const look = (cache: AnswerCache, question: CacheQuestion): Promise<string | undefined> =>
  cache.get(question).then(
    ({ kind, answer }) => (kind === 'miss' ? undefined : answer),
    () => undefined,
  )

async function keep(cache: AnswerCache, question: CacheQuestion, { content, finishReason, usage }: GenerateResult) {
  const text = textOf(content)
  if (finishReason.unified !== 'stop' || text === undefined) return
  const tokens = (usage.inputTokens.total ?? 0) + (usage.outputTokens.total ?? 0)
  const put: CachePut = { ...question, answer: text, worth: { tokens, microUsd: 0, ms: 0 } }
  await cache.put(put).catch(() => undefined)
}

/** Undefined: there is more in it than text. */
function textOf(content: readonly Content[]): string | undefined {
  if (content.length === 0 || content.some(({ type }) => type !== 'text')) return undefined
  return content.map((part) => (part.type === 'text' ? part.text : '')).join('')
}

function questionOf(
  params: CallOptions,
  { provider, modelId }: Pick<LanguageModel, 'provider' | 'modelId'>,
  { mode, tenant }: CacheMiddlewareOptions,
): CacheQuestion | undefined {
  const { prompt, tools = [], responseFormat } = params
  const isPlain = (message: PromptMessage): boolean =>
    typeof message.content === 'string' || message.content.every(({ type }) => type === 'text')
  if (tools.length > 0 || !prompt.every(isPlain)) return undefined
  const system = prompt.filter(({ role }) => role === 'system').map(({ content }) => content)
  const turns = prompt
    .filter(({ role }) => role !== 'system')
    .map(({ role, content }) => ({ role, text: plain(content) }))
  const last = turns.at(-1)
  if (last?.role !== 'user') return undefined
  const { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences } = params
  const parameters = [maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences]
  const wanted = turns.length > 1 ? 'exact' : mode
  return {
    prompt: last.text,
    ...(wanted === undefined ? {} : { mode: wanted }),
    scope: {
      ...{ tenant, provider, model: modelId, system: system.join('\n\n'), parameters },
      ...{ constraint: responseFormat, history: turns.slice(0, -1) },
    },
  }
}

const plain = (content: PromptMessage['content']): string =>
  typeof content === 'string' ? content : content.map((part) => ('text' in part ? String(part.text) : '')).join('\n')

function streamOf(text: string): ReadableStream<StreamPart> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue({ type: 'stream-start', warnings: [] })
      controller.enqueue({ type: 'text-start', id: '0' })
      controller.enqueue({ type: 'text-delta', id: '0', delta: text })
      controller.enqueue({ type: 'text-end', id: '0' })
      controller.enqueue({ type: 'finish', usage: noTokens, finishReason: stop })
      controller.close()
    },
  })
}

function keeping(cache: AnswerCache, question: CacheQuestion): TransformStream<StreamPart, StreamPart> {
  let text = ''
  return new TransformStream({
    transform(part, controller) {
      controller.enqueue(part)
      if (part.type === 'text-delta') text += part.delta
      // A call of a tool, or an error, makes it more than a text.
      if (part.type === 'tool-call' || part.type === 'error') text = ''
      if (part.type !== 'finish' || text === '') return
      const { finishReason, usage } = part
      void keep(cache, question, { content: [{ type: 'text', text }], finishReason, usage, warnings: [] })
    },
  })
}
