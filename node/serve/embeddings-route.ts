/** `POST /v1/embeddings`, where the server was given an embedder. */
import type { Embedder } from '../../bindings/cache/ports.js'
import type { Call, Context } from './context.js'
import { badRequest, HttpError } from './http-error.js'
import { readJson, sendJson } from './http.js'

/** Most texts of one request. */
const mostTexts = 2048

export async function embeddings(call: Call, { embedder }: Context): Promise<void> {
  if (embedder === undefined)
    throw new HttpError(404, 'no_embedder', 'this server was started without an embedder (--embedder)')
  const body = await readJson(call.request)
  const { model, input, encoding_format: format = 'float', dimensions } = body
  if (typeof model === 'string' && model !== embedder.name)
    throw new HttpError(404, 'model_not_found', `the embedder of this server is '${embedder.name}'`, { param: 'model' })
  const texts = typeof input === 'string' ? [input] : input
  if (!Array.isArray(texts) || !texts.every((text) => typeof text === 'string') || texts.length === 0)
    throw badRequest('a text, or a list of texts; lists of tokens are not supported', 'input')
  if (texts.length > mostTexts) throw badRequest(`at most ${mostTexts} texts`, 'input')
  if (format !== 'float' && format !== 'base64') throw badRequest('float or base64', 'encoding_format')
  if (dimensions !== undefined && dimensions !== embedder.dimensions)
    throw badRequest(`this embedder has ${embedder.dimensions} dimensions`, 'dimensions')
  const admission = await call.account.admit({ tokens: 0, microUsd: 0 })
  admission.settle({ tokens: 0, microUsd: 0 })
  const { data, tokens } = await embedded(texts, embedder, format)
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  sendJson(call.response, 200, { object: 'list', data, model: embedder.name, usage }, { 'x-request-id': call.id })
}

async function embedded(texts: readonly string[], embedder: Embedder, format: 'float' | 'base64') {
  const data: object[] = []
  let tokens = 0
  for (const [index, text] of texts.entries()) {
    const made = await embedder.embed(text)
    if (made === undefined) throw badRequest(`text ${index} is longer than the embedder reads`, 'input')
    tokens += made.pieces
    data.push({ object: 'embedding', index, embedding: format === 'base64' ? base64(made.vector) : [...made.vector] })
  }
  return { data, tokens }
}

const base64 = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')
