import type { Clock, Fetch } from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { simulateAnswer, type Answer } from './answer.js'
import { label, preflight, refusalLabel } from './cors.js'
import { LedgerBook, type Ledger } from './ledger.js'
import { Limits } from './limits.js'
import type { InjectableFailure, ProviderProfile, SimulatedProvider, SimulatorProfile } from './profiles.js'
import { hashText, seeded } from './random.js'
import { replyMs, streamFrames, wholeFrames, type Pace } from './reply.js'
import { keyOf, parseRequest, providerOf, routeOf, type ParsedChat } from './request.js'
import { delay, timedStream } from './timed-stream.js'
import { countTokens } from './tokens.js'
import { deepseekWire } from './wire/deepseek.js'
import { geminiWire } from './wire/gemini.js'
import { groqWire } from './wire/groq.js'
import { mistralWire } from './wire/mistral.js'
import { openaiWire } from './wire/openai.js'
import { openAiError, promptText, type Refusal, type ReplyContext, type Wire } from './wire/wire.js'

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
  const playing = new Playing(profile, options.clock ?? systemClock, options.seed ?? 1)
  const handle = (request: Request) => playing.handle(request)
  return { profile, handle, fetch: (input, init) => handle(new Request(input, init)), ledger: playing.ledger }
}

/** A request that was accepted, and what was drawn for it. */
interface Accepted {
  readonly provider: SimulatedProvider
  readonly chat: ParsedChat
  readonly answer: Answer
  readonly context: ReplyContext
  readonly pace: Pace
  readonly injected: InjectableFailure | undefined
}

class Playing {
  readonly ledger = new LedgerBook()
  private readonly limits = new Map<SimulatedProvider, Limits>()
  /** How often the same request was seen: a repeat draws its fate anew. */
  private readonly repeats = new Map<number, number>()

  constructor(
    private readonly profile: SimulatorProfile,
    private readonly clock: Clock,
    private readonly seed: number,
  ) {}

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
    const bodyText = await request.text()
    const chat = parseRequest(bodyText, profile, route, wire)
    if (chat.refusal) return this.refuseWith(request, provider, chat, chat.refusal)
    if (chat.problem) return this.refuse(request, provider, chat, chat.problem.kind, chat.problem.reason)
    return this.answer(request, provider, chat, bodyText)
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
    const inFlight = this.ledger.inFlight(provider)
    const hit = this.limitsOf(provider).admit(
      this.clock.now() / this.profile.timeScale,
      context.inTokens + answer.pieces.length,
      inFlight,
    )
    if (hit) {
      const facts = { model: chat.model, waitMs: hit.waitMs * this.profile.timeScale, limit: hit.limit }
      return this.refuseWith(request, provider, chat, wire.refusal('rate_limited', facts))
    }
    const entry = this.ledger.open({ ...this.noted(request, provider, chat, context.inTokens), status: 200, injected })
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
      onFrame: (frame) => (entry.outTokens += frame.tokens),
      onEnd: (aborted) => this.ledger.end(entry, this.clock.now(), aborted),
    })
    const type = chat.streamed ? 'text/event-stream; charset=utf-8' : 'application/json'
    return new Response(body, {
      status: 200,
      headers: { ...label, 'content-type': type, 'x-request-id': `req_${context.id}` },
    })
  }

  /** Everything that is drawn, from the seed and the request alone: never from the order of requests. */
  private accept(provider: SimulatedProvider, chat: ParsedChat, bodyText: string): Accepted {
    const profile = this.profile.providers[provider]
    const hash = hashText(`${provider}\n${bodyText}`, this.seed)
    const repeat = this.repeats.get(hash) ?? 0
    this.repeats.set(hash, repeat + 1)
    const random = seeded(hash + repeat * 0x9e3779b9)
    const injected = drawFailure(profile, random())
    const wobble = () => 1 + profile.jitter * (2 * random() - 1)
    const pace: Pace = {
      firstTokenMs: profile.firstTokenMs * wobble() * this.profile.timeScale,
      msPerToken: (1000 / (profile.tokensPerSecond * wobble())) * this.profile.timeScale,
    }
    const answer = simulateAnswer(
      {
        ...chat.prompt,
        maxTokens: chat.maxTokens,
        wantedTokens: wantedTokens(this.profile, chat.maxTokens, chat.prompt.user),
        auditIssueShare: this.profile.auditIssueShare,
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
      inTokens: countTokens(promptText(chat.body)),
      outTokens: answer.pieces.length,
      finish: answer.finish,
      promptSeconds: profile.firstTokenMs / 1000,
      completionSeconds: Math.max(0, answer.pieces.length - 1) / profile.tokensPerSecond,
      padding: () => 'QmXtJwBzKrPvNdLf'.slice(0, 1 + Math.floor(random() * 16)),
    }
    return { provider, chat, answer, context, pace, injected }
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
  ): Response {
    this.ledger.refuse({ ...this.noted(request, provider, chat, 0), status: refusal.status, injected })
    return refused(refusal, wires[provider])
  }

  private noted(request: Request, provider: SimulatedProvider, chat: ParsedChat | undefined, inTokens: number) {
    return {
      provider,
      model: chat?.model ?? '',
      streamed: chat?.streamed ?? false,
      idempotencyKey: request.headers.get('idempotency-key') ?? undefined,
      startedAtMs: this.clock.now(),
      inTokens,
    }
  }
}

/** A model keeps to the length it is told; without a word on it, to the profile's share of what the request allows. */
function wantedTokens({ answerTokens, answerShare = 1 }: SimulatorProfile, maxTokens: number, user: string): number {
  const told = /length of the answer: about (\d{1,9}) tokens/.exec(user)?.[1]
  const wanted = answerTokens ?? (told === undefined ? Math.ceil(answerShare * maxTokens) : Number(told))
  return Math.max(1, Math.min(maxTokens, wanted))
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

function modelList({ models = [] }: ProviderProfile, wire: Wire): Response {
  const common = () => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: createdSeconds, owned_by: 'simulator' })),
  })
  return Response.json(wire.models?.(models) ?? common(), { headers: label })
}
