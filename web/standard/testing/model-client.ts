/** What every ModelClient obeys; see the port in bindings/ports.ts. */
import { describe, expect, setTestLibrary, test, type TestLibrary } from './library.js'
import { failureKinds } from '../../../bindings/generated/wire.js'
import type { CallFailureInfo, CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'

/** What the provider behind a client does with every request; `breaks`: part of an answer comes, and then the connection ends. */
export type ClientBehaviour = 'answers' | 'rate_limited' | 'server_error' | 'breaks' | 'hangs'

/** A client before a provider that the suite can rely on. */
export interface ClientPlace {
  readonly client: ModelClient
  /** Requests that have reached the provider. */
  asked(): number
  /** The key that the client uses: no message may hold it. */
  readonly key: string
  /** Id of a model that the provider has. */
  readonly model: string
  /** Ends what the test has left behind. */
  end(): Promise<void>
}

/** Stands in the prompt and must stand in no message. */
const canary = 'prompt-canary-51c7'

const requestOf = (model: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  ...{ model, system: 'Answer briefly.', user: `Say something about ${canary}.`, maxOutputTokens: 64 },
  ...{ output: { kind: 'text' }, stream: true },
  ...more,
})

/** What an observer was told, in order; `after` counts what came when all was over. */
class Watcher {
  readonly told: string[] = []
  text = ''
  over = false
  after = 0
  readonly observer: CallObserver = {
    started: () => this.#note('started'),
    firstToken: () => this.#note('firstToken'),
    text: (piece) => {
      this.text += piece
      this.#note('text')
    },
    limits: () => this.#note('limits'),
  }
  #note(what: string): void {
    if (this.over) this.after += 1
    else if (this.told.at(-1) !== what) this.told.push(what)
  }
}

type Ended = { readonly reply: ModelReply } | { readonly failure: CallFailureInfo }

async function call(place: ClientPlace, watcher: Watcher, signal: AbortSignal, stream = true): Promise<Ended> {
  const request = requestOf(place.model, { stream })
  const ended: Ended = await place.client.generate(request, signal, watcher.observer).then(
    (reply) => ({ reply }),
    (failure: CallFailureInfo) => ({ failure }),
  )
  watcher.over = true
  // Whatever is told too late would come by now.
  await new Promise((resolve) => setTimeout(resolve, 0))
  return ended
}

const replyOf = (ended: Ended): ModelReply => {
  if ('reply' in ended) return ended.reply
  throw ended.failure
}
const failureOf = (ended: Ended): CallFailureInfo | undefined => ('failure' in ended ? ended.failure : undefined)
const never = (): AbortSignal => new AbortController().signal

type At = (what: string, behaviour: ClientBehaviour, body: (place: ClientPlace) => Promise<void>) => void

/** Defines the suite. `open`: a fresh client for each test. `library`: default the names that the test runner made global. */
export function modelClientContract(
  name: string,
  open: (behaviour: ClientBehaviour) => Promise<ClientPlace>,
  library?: TestLibrary,
): void {
  setTestLibrary(library)
  const at: At = (what, behaviour, body) =>
    test(what, async () => {
      const place = await open(behaviour)
      try {
        await body(place)
      } finally {
        await place.end()
      }
    })
  describe(name, () => {
    answers(at)
    refusals(at)
    cancels(at)
  })
}

function answers(at: At): void {
  at('an answer streams in order, and its pieces are the whole', 'answers', async (place) => {
    const watcher = new Watcher()
    const reply = replyOf(await call(place, watcher, never()))
    expect(watcher.text).toBe(reply.text)
    expect(reply.text.length > 0).toBe(true)
    expect(watcher.told.filter((what) => what !== 'limits')).toEqual(['started', 'firstToken', 'text'])
    expect(watcher.after).toBe(0)
    expect(reply.finish).toBe('stop')
  })

  at('an answer that is asked for as a whole comes as one', 'answers', async (place) => {
    const reply = replyOf(await call(place, new Watcher(), never(), false))
    expect(reply.text.length > 0).toBe(true)
    expect(reply.finish).toBe('stop')
  })

  at('tokens are counted once: cached within input, reasoning within output', 'answers', async (place) => {
    const { usage } = replyOf(await call(place, new Watcher(), never()))
    // None at all is allowed: the run then estimates, and says so.
    if (usage === undefined) return
    const counts = [usage.input, usage.cached, usage.output, usage.reasoning]
    expect(counts.every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(true)
    expect([usage.cached <= usage.input, usage.reasoning <= usage.output]).toEqual([true, true])
  })

  at('calls at once do not mix', 'answers', async (place) => {
    const watchers = Array.from({ length: 5 }, () => new Watcher())
    const replies = await Promise.all(watchers.map((watcher) => call(place, watcher, never())))
    expect(watchers.map(({ text }) => text)).toEqual(replies.map((ended) => replyOf(ended).text))
    expect(place.asked()).toBe(5)
  })
}

function refusals(at: At): void {
  for (const kind of ['rate_limited', 'server_error'] as const)
    at(`a refusal is ${kind}, is not tried again, and tells no secrets`, kind, async (place) => {
      const watcher = new Watcher()
      const failure = failureOf(await call(place, watcher, never()))
      expect(failure?.kind).toBe(kind)
      expect(place.asked()).toBe(1)
      expect([watcher.text, watcher.after]).toEqual(['', 0])
      tellsNothing(place, failure)
    })

  at('an answer that breaks off is a failure of a known kind, and no answer', 'breaks', async (place) => {
    const watcher = new Watcher()
    const failure = failureOf(await call(place, watcher, never()))
    expect(failureKinds.some((kind) => kind === failure?.kind)).toBe(true)
    expect([failure?.kind === 'cancelled', watcher.after, place.asked()]).toEqual([false, 0, 1])
    tellsNothing(place, failure)
  })
}

function cancels(at: At): void {
  at('a call that is cancelled before it leaves does not leave', 'answers', async (place) => {
    const failure = failureOf(await call(place, new Watcher(), AbortSignal.abort()))
    expect([failure?.kind, place.asked()]).toEqual(['cancelled', 0])
  })

  at('a call that is cancelled while it waits ends at once, and tells nothing more', 'hangs', async (place) => {
    const stop = new AbortController()
    const watcher = new Watcher()
    const ended = call(place, watcher, stop.signal)
    while (place.asked() === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    stop.abort()
    expect(failureOf(await ended)?.kind).toBe('cancelled')
    expect([watcher.text, watcher.after]).toEqual(['', 0])
  })

  at('a call that is cancelled at its first token is no answer', 'answers', async (place) => {
    const stop = new AbortController()
    const watcher = new Watcher()
    const { firstToken } = watcher.observer
    watcher.observer.firstToken = () => {
      firstToken?.()
      stop.abort()
    }
    const failure = failureOf(await call(place, watcher, stop.signal))
    expect([failure?.kind, watcher.after]).toEqual(['cancelled', 0])
  })
}

function tellsNothing({ key }: ClientPlace, failure: CallFailureInfo | undefined): void {
  const message = String(failure?.message)
  expect([message.includes(key), message.includes(canary)]).toEqual([false, false])
}
