/** Gemini's `cachedContents`: what was put there by hand, for a time and for money. */
import { countTokens } from './tokens.js'
import { googleError } from './wire/google-error.js'
import { isMap, promptText, type ChatBody, type Refusal } from './wire/wire.js'

interface Kept {
  readonly name: string
  readonly model: string
  readonly displayName: string | undefined
  readonly messages: ChatBody['messages']
  readonly tokens: number
  readonly createdMs: number
  expiresMs: number
}

/** Fewest tokens of a cache, as for the automatic one. */
const minimumTokens = 4096
const defaultSeconds = 3600

export class GeminiCaches {
  private readonly kept = new Map<string, Kept>()
  private made = 0

  constructor(
    /** How the provider answers for one that is gone; which of the two the real one takes is not documented. */
    private readonly goneStatus: 403 | 404,
    /** Wall-clock time of simulated time 0, ms since 1970. */
    private readonly epochMs: number,
  ) {}

  /** One request to `cachedContents[/name]`. Times are simulated ms. */
  handle(method: string, name: string | undefined, body: unknown, nowMs: number): Refusal {
    this.forget(nowMs)
    if (name === undefined) {
      if (method === 'POST') return this.create(body, nowMs)
      return ok({ cachedContents: [...this.kept.values()].map((one) => this.described(one)) })
    }
    const one = this.kept.get(name)
    if (!one) return this.gone()
    if (method === 'DELETE') {
      this.kept.delete(name)
      return ok({})
    }
    if (method === 'PATCH') {
      const seconds = ttlSeconds(isMap(body) ? body['ttl'] : undefined)
      if (seconds === undefined) return bad('Only ttl and expireTime can be changed.')
      one.expiresMs = nowMs + seconds * 1000
    }
    return ok(this.described(one))
  }

  /** The turns that stand before a request, or why there are none. */
  use(
    name: string,
    model: string,
    nowMs: number,
  ): { readonly messages: ChatBody['messages']; readonly tokens: number } | Refusal {
    this.forget(nowMs)
    const one = this.kept.get(name)
    if (!one) return this.gone()
    if (one.model !== model)
      return bad(
        `Model used by GenerateContent request (models/${model}) and CachedContent (models/${one.model}) has to be the same.`,
      )
    return { messages: one.messages, tokens: one.tokens }
  }

  private create(body: unknown, nowMs: number): Refusal {
    if (!isMap(body) || typeof body['model'] !== 'string') return bad('model is not specified')
    const model = body['model'].replace(/^models\//, '')
    const messages = [
      ...(isMap(body['systemInstruction']) ? [{ role: 'system', content: textOf(body['systemInstruction']) }] : []),
      ...(Array.isArray(body['contents']) ? body['contents'] : [])
        .filter(isMap)
        .map((turn) => ({ role: turn['role'] === 'model' ? 'assistant' : 'user', content: textOf(turn) })),
    ]
    const tokens = countTokens(promptText({ messages }))
    if (tokens < minimumTokens)
      return bad(`Cached content is too small. total_token_count=${tokens}, min_total_token_count=${minimumTokens}`)
    const seconds = body['ttl'] === undefined ? defaultSeconds : ttlSeconds(body['ttl'])
    if (seconds === undefined) return bad('Invalid ttl')
    const name = `cachedContents/simulated${++this.made}`
    const displayName = typeof body['displayName'] === 'string' ? body['displayName'] : undefined
    const one = { name, model, displayName, messages, tokens, createdMs: nowMs, expiresMs: nowMs + seconds * 1000 }
    this.kept.set(name, one)
    return ok(this.described(one))
  }

  private described(one: Kept): object {
    const date = (ms: number) => new Date(this.epochMs + ms).toISOString()
    return {
      name: one.name,
      model: `models/${one.model}`,
      createTime: date(one.createdMs),
      updateTime: date(one.createdMs),
      expireTime: date(one.expiresMs),
      ...(one.displayName !== undefined && { displayName: one.displayName }),
      usageMetadata: { totalTokenCount: one.tokens },
    }
  }

  private forget(nowMs: number): void {
    for (const { name, expiresMs } of [...this.kept.values()]) if (expiresMs <= nowMs) this.kept.delete(name)
  }

  private gone(): Refusal {
    return this.goneStatus === 403
      ? googleError(403, 'PERMISSION_DENIED', 'CachedContent not found (or permission denied)')
      : googleError(404, 'NOT_FOUND', 'CachedContent not found')
  }
}

function ok(body: object): Refusal {
  return { status: 200, body }
}

function bad(message: string): Refusal {
  return googleError(400, 'INVALID_ARGUMENT', message)
}

function ttlSeconds(value: unknown): number | undefined {
  const match = typeof value === 'string' ? /^(\d{1,9}(?:\.\d+)?)s$/.exec(value) : null
  return match ? Number(match[1]) : undefined
}

function textOf(content: Readonly<Record<string, unknown>>): string {
  const parts = Array.isArray(content['parts']) ? content['parts'] : []
  return parts.map((part) => (isMap(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}
