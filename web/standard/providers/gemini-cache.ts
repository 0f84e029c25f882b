import type { CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'
import { baseAddress } from './exchange.js'
import { geminiFailures } from './failures/index.js'
import { geminiCall, geminiKey, geminiModel, type GeminiConfig } from './gemini.js'
import { callJson } from './json-call.js'

/** What is to be kept at the provider: the same bytes before every request. Kept for money by the hour. */
export interface CacheContent {
  /** A cache belongs to one model. */
  readonly model: string
  /** May be empty. */
  readonly system: string
  /** What stands before every request's own text; a few thousand tokens at least, or the provider refuses it. */
  readonly text: string
  /** Life, s; default 300. */
  readonly ttlSeconds?: number
  readonly displayName?: string
}

/** A cache as the provider describes it. */
export interface CachedContent {
  /** `cachedContents/…` */
  readonly name: string
  /** When it ends, as the provider writes dates; '' when it does not say. */
  readonly expireTime: string
  /** Size; `undefined` when it does not say. */
  readonly tokens: number | undefined
}

/** `cachedContents`: what a cache needs over its life. All reject with a `CallFailure`. */
export interface GeminiCaches {
  create(content: CacheContent, signal: AbortSignal): Promise<CachedContent>
  get(name: string, signal: AbortSignal): Promise<CachedContent>
  /** Another life from now on, s: nothing else of a cache can be changed. */
  extend(name: string, ttlSeconds: number, signal: AbortSignal): Promise<CachedContent>
  remove(name: string, signal: AbortSignal): Promise<void>
}

/** Throws a `TypeError` here when the base URL is not valid. */
export function createGeminiCaches(config: GeminiConfig): GeminiCaches {
  const base = baseAddress(config.baseUrl)
  const call = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, signal: AbortSignal, body?: object) =>
    callJson(
      config,
      {
        method,
        url: `${base}/${path}`,
        authorisation: geminiKey,
        ...(body && { body: body as Readonly<Record<string, unknown>> }),
        payloads: textsOf(body),
        failures: geminiFailures,
      },
      signal,
    )
  return {
    create: async (content, signal) => read(await call('POST', 'cachedContents', signal, bodyOf(content))),
    get: async (name, signal) => read(await call('GET', checked(name), signal)),
    extend: async (name, ttlSeconds, signal) =>
      read(await call('PATCH', `${checked(name)}?updateMask=ttl`, signal, { ttl: `${ttlSeconds}s` })),
    remove: async (name, signal) => void (await call('DELETE', checked(name), signal)),
  }
}

export interface CachedGemini extends ModelClient {
  /** Deletes the cache, if there is one: it costs money as long as it lives. */
  close(signal: AbortSignal): Promise<void>
}

/**
 * A client whose requests all stand behind `content`, which is created with the first of them. Takes requests for its model
 * with an empty system text, or with the one of the content. When a request is refused because the cache is gone (403 or 404:
 * which one is not documented) the cache is created again and the request sent again, once: nothing was generated or paid yet.
 */
export function createCachedGemini(config: GeminiConfig, content: CacheContent): CachedGemini {
  const caches = createGeminiCaches(config)
  const generate = geminiCall(config)
  let current: Promise<CachedContent> | undefined
  const cacheNow = (): Promise<CachedContent> => {
    // Not the signal of one request: others wait for the same cache.
    current ??= caches.create(content, new AbortController().signal).catch((error: unknown) => {
      current = undefined
      throw error
    })
    return current
  }
  return {
    async generate(request, signal, observer = {}): Promise<ModelReply> {
      check(request, content)
      const used = cacheNow()
      const { name } = await unlessAborted(used, signal)
      try {
        return await generate(request, signal, observer, name)
      } catch (error) {
        if (!isGone(error)) throw error
        // Several requests may find it gone at once: only the first of them lets go of it.
        if (current === used) current = undefined
      }
      const again = await unlessAborted(cacheNow(), signal)
      return generate(request, signal, once(observer), again.name)
    },
    async close(signal): Promise<void> {
      const last = await current?.catch(() => undefined)
      current = undefined
      if (!last) return
      await caches.remove(last.name, signal).catch((error: unknown) => {
        if (!isGone(error)) throw error
      })
    },
  }
}

function check({ model, system }: ModelRequest, content: CacheContent): void {
  if (geminiModel(model) !== geminiModel(content.model))
    throw new CallFailure('bad_request', 'the cache is another model`s')
  if (system !== '' && system !== content.system)
    throw new CallFailure('bad_request', 'beside a cache a request has no system text of its own')
}

function isGone(error: unknown): boolean {
  return error instanceof CallFailure && (error.status === 403 || error.status === 404)
}

/** A request that is given up does not wait for the cache; those beside it still do. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new CallFailure('cancelled'))
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    const stay = () => signal.removeEventListener('abort', leave)
    promise.then(resolve, reject).finally(stay)
  })
}

/** `started` was told with the first try already. */
function once(observer: CallObserver): CallObserver {
  return {
    firstToken: () => observer.firstToken?.(),
    text: (piece) => observer.text?.(piece),
    limits: (seen) => observer.limits?.(seen),
  }
}

function bodyOf({ model, system, text, ttlSeconds = 300, displayName }: CacheContent): object {
  return {
    model: model.startsWith('models/') ? model : `models/${model}`,
    ...(displayName !== undefined && { displayName }),
    ...(system !== '' && { systemInstruction: { parts: [{ text: system }] } }),
    contents: [{ role: 'user', parts: [{ text }] }],
    ttl: `${ttlSeconds}s`,
  }
}

/** Every text in a body: what an error must not quote. */
function textsOf(body: unknown): readonly string[] {
  if (typeof body === 'string') return [body]
  return typeof body === 'object' && body !== null ? Object.values(body).flatMap(textsOf) : []
}

/** The provider makes the names; one from elsewhere must not lead elsewhere. */
function checked(name: string): string {
  if (!/^cachedContents\/[\w-]+$/.test(name)) throw new CallFailure('bad_request', 'no name of a cached content')
  return name
}

function read(value: unknown): CachedContent {
  const { name, expireTime, usageMetadata } = (value ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || !/^cachedContents\/[\w-]+$/.test(name))
    throw new CallFailure('malformed', 'the reply names no cached content')
  const tokens = (usageMetadata as { totalTokenCount?: unknown } | undefined)?.totalTokenCount
  return {
    name,
    expireTime: typeof expireTime === 'string' ? expireTime : '',
    tokens: typeof tokens === 'number' ? tokens : undefined,
  }
}
