import type { Clock, Fetch } from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { simulateAnswer, type Answer } from './answer.js'
import { label, preflight, refusalLabel } from './cors.js'
import { GeminiCaches } from './gemini-caches.js'
import { LedgerBook, type Ledger } from './ledger.js'
import { Limits, type LimitLeft } from './limits.js'
import type { InjectableFailure, ProviderProfile, SimulatedProvider, SimulatorProfile } from './profiles.js'
import { PromptCache, type CacheLookup } from './prompt-cache.js'
import { hashText, seeded } from './random.js'
import { replyMs, streamFrames, wholeFrames, type Pace } from './reply.js'
import { keyOf, parsed, parseRequest, providerOf, routeOf, withTurnsBefore, type ParsedChat } from './request.js'
import { delay, timedStream } from './timed-stream.js'
import { countTokens } from './tokens.js'
import { deepseekWire } from './wire/deepseek.js'
import { geminiWire } from './wire/gemini.js'
import { groqWire } from './wire/groq.js'
import { mistralWire } from './wire/mistral.js'
import { openaiWire } from './wire/openai.js'
import { openAiError, promptText, type LimitName, type Refusal, type ReplyContext, type Wire } from './wire/wire.js'

export interface SimulatorOptions {
  readonly clock?: Clock
  /** Draws of jitter, failures, audits and words; default 1. */
  readonly seed?: number
}

export interface Simulator {
  readonly profile: SimulatorProfile
  /** To be injected where a client takes a `fetch`. Honours `init.signal`. */
  readonly fetch: Fetch
  /** Answers any request; rejects only for an injected `unreachable`, or when the request's signal is aborted first. */
  handle(request: Request): Promise<Response>
  readonly ledger: Ledger
}

const wires: Readonly<Record<SimulatedProvider, Wire>> = {
  deepseek: deepseekWire,
  groq: groqWire,
  openai: openaiWire,
  gemini: geminiWire,
  mistral: mistralWire,
}

/** A constant: replies are the same in every run. */
const createdSeconds = 1_790_000_000

/** The providers' stand-in on any origin: each on its real paths behind `/{provider}` (see `routeOf`). */
export function createSimulator(profile: SimulatorProfile, options: SimulatorOptions = {}): Simulator {
  const simulated = new SimulatedProviders(profile, options.clock ?? systemClock, options.seed ?? 1)
  const handle = (request: Request) => simulated.handle(request)
  return { profile, handle, fetch: (input, init) => handle(new Request(input, init)), ledger: simulated.ledger }
}

/** A request that was accepted, and what was drawn for it. */
interface Accepted {
  readonly provider: SimulatedProvider
  readonly chat: ParsedChat
  readonly answer: Answer
  readonly context: ReplyContext
  readonly pace: Pace
  readonly injected: InjectableFailure | undefined
  /** Keeps the prompt in the cache: when the first token leaves, as a request beside it finds nothing yet. */
  readonly keep: () => void
}

class SimulatedProviders {
  readonly ledger = new LedgerBook()
  private readonly limits = new Map<SimulatedProvider, Limits>()
  private readonly caches = new Map<SimulatedProvider, PromptCache>()
  private readonly geminiCaches: GeminiCaches
  /** Well-formed requests of each provider so far, for the script. */
  private readonly asked = new Map<SimulatedProvider, number>()
  /** How often the same request was seen: a repeat draws its fate again. */
  private readonly repeats = new Map<number, number>()

  constructor(
    private readonly profile: SimulatorProfile,
    private readonly clock: Clock,
    private readonly seed: number,
  ) {
    this.geminiCaches = new GeminiCaches(profile.providers.gemini.goneStatus ?? 403, createdSeconds * 1000)
  }

  async handle(request: Request): Promise<Response> {
    const url = new URL(request.url)
    const named = providerOf(url.pathname)
    if (request.method === 'OPTIONS') return preflight(request, named && wires[named])
    const route = routeOf(request.method, url)
    if (!route) return refused(openAiError(404, 'Unknown address', 'invalid_request_error', null))
    const { provider } = route
    const wire = wires[provider]
    const profile = this.profile.providers[provider]
    const key = keyOf(request, url, wire)
    if (key === undefined || (profile.keys && !profile.keys.includes(key)))
      return this.refuse(request, provider, undefined, 'auth')
    if (route.endpoint === 'models') return modelList(profile, wire)
    if (route.endpoint === 'balance') return Response.json(wire.balance, { headers: label })
    const bodyText = await request.text()
    if (route.endpoint === 'caches')
      return refused(this.geminiCaches.handle(request.method, route.cache, parsed(bodyText), this.now()), wire)
    const chat = this.resolved(parseRequest(bodyText, profile, route, wire))
    if (chat.refusal) return this.refuseWith(request, provider, chat, chat.refusal)
    if (chat.problem) return this.refuse(request, provider, chat, chat.problem.kind, chat.problem.reason)
    return this.answer(request, provider, chat, bodyText)
  }

  /** Simulated ms. */
  private now(): number {
    return this.clock.now() / this.profile.timeScale
  }

  /** A request that names a cached content stands behind its turns. */
  private resolved(chat: ParsedChat): ParsedChat {
    const name = chat.body['cached_content']
    if (name === undefined || chat.refusal || chat.problem) return chat
    const kept = this.geminiCaches.use(String(name), chat.model, this.now())
    return 'messages' in kept ? withTurnsBefore(chat, kept.messages) : { ...chat, refusal: kept }
  }

  private async answer(
    request: Request,
    provider: SimulatedProvider,
    chat: ParsedChat,
    bodyText: string,
  ): Promise<Response> {
    const wire = wires[provider]
    const accepted = this.accept(provider, chat, bodyText)
    const { injected, answer, context, pace } = accepted
    if (injected === 'unreachable') throw new TypeError('fetch failed (simulated)')
    if (injected === 'malformed') return page()
    if (isRefusal(injected)) return this.refuse(request, provider, chat, injected, undefined, injected)
    const cost = context.inTokens - (wire.cachedAreFree ? context.cachedTokens : 0) + answer.pieces.length
    const limits = this.limitsOf(provider)
    const hit = limits.admit(this.now(), cost, this.ledger.inFlight(provider))
    if (hit) {
      const facts = { model: chat.model, waitMs: hit.waitMs * this.profile.timeScale, limit: hit.limit }
      return this.refuseWith(request, provider, chat, wire.refusal('rate_limited', facts), undefined, hit.limit.name)
    }
    const headers = this.limitHeaders(wire, limits, cost)
    const { inTokens, cachedTokens } = context
    const noted = this.noted(request, provider, chat)
    const entry = this.ledger.open({ ...noted, inTokens, cachedTokens, status: 200, injected, limit: undefined })
    // Others send their headers with the finished answer; a keep-alive needs them at once.
    if (!chat.streamed && !wire.blankLines) {
      await delay(replyMs(pace, answer.pieces.length), this.clock, request.signal).catch((error) => {
        this.ledger.end(entry, this.clock.now(), true)
        throw error
      })
    }
    const frames = chat.streamed
      ? streamFrames(wire, context, answer.pieces, pace, injected)
      : wholeFrames(wire, context, answer.pieces, pace, injected)
    const body = timedStream(frames, {
      clock: this.clock,
      startMs: entry.startedAtMs,
      signal: request.signal,
      onFrame: (frame) => {
        if (frame.tokens > 0 && entry.outTokens === 0) accepted.keep()
        entry.outTokens += frame.tokens
      },
      onEnd: (aborted) => this.ledger.end(entry, this.clock.now(), aborted),
    })
    const type = chat.streamed ? 'text/event-stream; charset=utf-8' : 'application/json'
    return new Response(body, {
      status: 200,
      headers: { ...label, 'content-type': type, 'x-request-id': `req_${context.id}`, ...headers },
    })
  }

  /** Everything that is drawn, from the seed and the request alone: never from the order of requests. Only the cache remembers. */
  private accept(provider: SimulatedProvider, chat: ParsedChat, bodyText: string): Accepted {
    const profile = this.profile.providers[provider]
    const hash = hashText(`${provider}\n${bodyText}`, this.seed)
    const repeat = this.repeats.get(hash) ?? 0
    this.repeats.set(hash, repeat + 1)
    const random = seeded(hash + repeat * 0x9e3779b9)
    const injected = this.scripted(provider, drawFailure(profile, random()))
    const jittered = () => 1 + profile.jitter * (2 * random() - 1)
    const inTokens = countTokens(promptText(chat.body))
    const cached = this.cacheLookup(provider, chat)
    const readMs = readingMs(profile, inTokens, cached.hit)
    const pace: Pace = {
      firstTokenMs: (profile.firstTokenMs * jittered() + readMs) * this.profile.timeScale,
      msPerToken: (1000 / (profile.tokensPerSecond * jittered())) * this.profile.timeScale,
    }
    const answer = simulateAnswer(
      {
        ...chat.prompt,
        maxTokens: chat.maxTokens,
        wantedTokens: wantedTokens(this.profile, chat.maxTokens, chat.prompt.user),
        auditIssueShare: this.profile.auditIssueShare,
        known: this.profile.known,
        errorShare: profile.errorShare ?? 0,
        reviewer: {
          recall: profile.recall ?? 1,
          patchShare: profile.patchShare ?? 0,
          falseRejectShare: profile.falseRejectShare ?? 0,
        },
      },
      hashText(`${provider}/${chat.model}`, this.seed),
    )
    const context: ReplyContext = {
      id: [0, 1, 2, 3]
        .map((part) =>
          hashText(bodyText, hash + part + repeat * 7)
            .toString(16)
            .padStart(8, '0'),
        )
        .join(''),
      model: chat.model,
      created: createdSeconds,
      body: chat.body,
      inTokens,
      cachedTokens: Math.min(inTokens, cached.hit),
      writtenTokens: Math.min(inTokens - Math.min(inTokens, cached.hit), cached.written),
      outTokens: answer.pieces.length,
      finish: answer.finish,
      promptSeconds: profile.firstTokenMs / 1000,
      completionSeconds: Math.max(0, answer.pieces.length - 1) / profile.tokensPerSecond,
      echo: wires[provider].echoesPrefix ? (chat.prompt.prefix ?? '') : '',
      padding: () => 'QmXtJwBzKrPvNdLf'.slice(0, 1 + Math.floor(random() * 16)),
    }
    return { provider, chat, answer, context, pace, injected, keep: () => cached.keep(answer.pieces, this.now()) }
  }

  /** The script's word for this request, or what was drawn once the script is over. */
  private scripted(provider: SimulatedProvider, drawn: InjectableFailure | undefined): InjectableFailure | undefined {
    const at = this.asked.get(provider) ?? 0
    this.asked.set(provider, at + 1)
    const word = this.profile.providers[provider].script?.[at]
    return word === undefined ? drawn : word === 'ok' ? undefined : word
  }

  private cacheLookup(provider: SimulatedProvider, { model, body }: ParsedChat): CacheLookup {
    const kept = body['cached_content']
    // A content that was put there by hand is a hit as a whole, whatever the automatic cache holds.
    if (kept !== undefined) {
      const content = this.geminiCaches.use(String(kept), model, this.now())
      return { hit: 'tokens' in content ? content.tokens : 0, written: 0, keep: () => undefined }
    }
    const cache = this.caches.get(provider) ?? new PromptCache(wires[provider].cache)
    this.caches.set(provider, cache)
    return cache.look(model, body, this.now())
  }

  private limitHeaders(wire: Wire, limits: Limits, cost: number): Readonly<Record<string, string>> {
    const { requests, tokens, requestsPerDay } = limits.left(this.now(), cost)
    const real = (left: LimitLeft | undefined) => left && { ...left, resetMs: left.resetMs * this.profile.timeScale }
    const told = { requests: real(requests), tokens: real(tokens), requestsPerDay: real(requestsPerDay) }
    return wire.limitHeaders?.({ cost, ...told }) ?? {}
  }

  private limitsOf(provider: SimulatedProvider): Limits {
    const known = this.limits.get(provider) ?? new Limits(this.profile.providers[provider])
    this.limits.set(provider, known)
    return known
  }

  private refuse(
    request: Request,
    provider: SimulatedProvider,
    chat: ParsedChat | undefined,
    kind: Parameters<Wire['refusal']>[0],
    reason?: string,
    injected?: InjectableFailure,
  ): Response {
    const facts = {
      model: chat?.model ?? '',
      waitMs: 2000 * this.profile.timeScale,
      ...(reason !== undefined && { reason }),
    }
    return this.refuseWith(request, provider, chat, wires[provider].refusal(kind, facts), injected)
  }

  private refuseWith(
    request: Request,
    provider: SimulatedProvider,
    chat: ParsedChat | undefined,
    refusal: Refusal,
    injected?: InjectableFailure,
    limit?: LimitName,
  ): Response {
    const noted = this.noted(request, provider, chat)
    this.ledger.refuse({ ...noted, inTokens: 0, cachedTokens: 0, status: refusal.status, injected, limit })
    return refused(refusal, wires[provider])
  }

  private noted(request: Request, provider: SimulatedProvider, chat: ParsedChat | undefined) {
    return {
      provider,
      model: chat?.model ?? '',
      streamed: chat?.streamed ?? false,
      idempotencyKey: request.headers.get('idempotency-key') ?? undefined,
      startedAtMs: this.clock.now(),
    }
  }
}

/** A model keeps to the length it is told; without a word on it, to the profile's share of what the request allows. */
function wantedTokens({ answerTokens, answerShare = 1 }: SimulatorProfile, maxTokens: number, user: string): number {
  const told = /length of the answer: about (\d{1,9}) tokens/.exec(user)?.[1]
  const wanted = answerTokens ?? (told === undefined ? Math.ceil(answerShare * maxTokens) : Number(told))
  return Math.max(1, Math.min(maxTokens, wanted))
}

/** Simulated ms before the first token that the prompt itself takes. */
function readingMs(profile: ProviderProfile, tokens: number, cached: number): number {
  const { promptTokensPerSecond: fresh = Infinity, cachedTokensPerSecond: known = Infinity } = profile
  return 1000 * (Math.max(0, tokens - cached) / fresh + Math.min(tokens, cached) / known)
}

function drawFailure(profile: ProviderProfile, draw: number): InjectableFailure | undefined {
  let upTo = 0
  for (const { kind, share } of profile.failures ?? []) if (draw < (upTo += share)) return kind
  return undefined
}

function isRefusal(kind: InjectableFailure | undefined): kind is Exclude<Parameters<Wire['refusal']>[0], 'not_found'> {
  return (
    kind !== undefined &&
    !['truncated', 'timeout_idle', 'timeout_first_token', 'stream_error', 'malformed', 'unreachable'].includes(kind)
  )
}

function refused({ status, body, headers }: Refusal, wire?: Wire): Response {
  return Response.json(body, { status, headers: { ...refusalLabel(status, wire), ...headers } })
}

/** What a gateway in front of a provider sends when it is the one that answers. */
function page(): Response {
  return new Response('<!doctype html><title>Simulated gateway page</title>', {
    status: 200,
    headers: { ...label, 'content-type': 'text/html' },
  })
}

function modelList(profile: ProviderProfile, wire: Wire): Response {
  const models = profile.models ?? wire.catalogue
  const common = () => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: createdSeconds, owned_by: 'simulator' })),
  })
  return Response.json(wire.models?.(models) ?? common(), { headers: label })
}
