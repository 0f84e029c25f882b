/** The chat-completions format as a server writes it, right or wrong, and what a reply is made of. */

/** What a request asked for, as far as a fault may care. */
export interface Asked {
  readonly order: number
  readonly provider: string
  readonly path: string
  readonly step: string
  /** How many requests of this step came before. */
  readonly earlier: number
  readonly model: string
  readonly stream: boolean
  readonly promptTokens: number
  readonly prefix: string | undefined
  /** The server's own origin. */
  readonly origin: string
}

/** A piece of a body, or a pause on the server's clock. */
export type Part = string | Uint8Array | { readonly pauseMs: number }

export interface Reply {
  /** Instead of a reply: nothing at all for ever, a reset, an end, or what is no HTTP. */
  readonly instead?: 'silence' | 'reset' | 'fin' | 'noise'
  /** An informational reply (103) goes before the real one. */
  readonly hints?: boolean
  /** Before the headers. */
  readonly delayMs?: number
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly parts?: readonly Part[]
  /** After the parts: a proper end (default), nothing, the end of the connection inside the body, or a reset. */
  readonly ending?: 'end' | 'open' | 'fin' | 'reset'
  /** The body's end is the end of the connection, as with HTTP/1.0: an early end looks like a proper one. */
  readonly untilClose?: boolean
  /** The work is done and billed. Default: for every status below 300. */
  readonly committed?: boolean
  /** Tokens of answer that the parts carry. */
  readonly tokens?: number
}

/** How one request is answered. */
export type Fault = (asked: Asked) => Reply

export const eventStream = { 'content-type': 'text/event-stream' } as const
export const jsonType = { 'content-type': 'application/json' } as const

/** Tokens as this server counts them. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4)

export const answerOf = (step: string): string => `The answer of ${step}: größer, 漢字, 🚀 and plain words.`

export function usageOf(asked: Asked, text: string, changes: object = {}): object {
  const [prompt, completion] = [asked.promptTokens, tokensOf(text)]
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
    ...changes,
  }
}

export interface StreamOptions {
  /** Characters of each piece. Default 8. */
  readonly pieceLength?: number
  /** `null`: a finish reason never comes. Default stop. */
  readonly finish?: string | null
  /** `null`: no counts are sent. */
  readonly usage?: object | null
  /** Whether `[DONE]` comes. Default true. */
  readonly done?: boolean
  readonly lineEnd?: string
}

export const event = (data: string, lineEnd = '\n'): string => `data: ${data}${lineEnd}${lineEnd}`

const chunk = (asked: Asked, delta: object, finish: string | null, more: object = {}): string =>
  JSON.stringify({
    id: `f${asked.order}`,
    object: 'chat.completion.chunk',
    model: asked.model,
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  })

/** The events of a streamed answer. */
export function events(asked: Asked, text: string, options: StreamOptions = {}): string[] {
  const { pieceLength = 8, finish = 'stop', done = true, lineEnd = '\n' } = options
  const usage = options.usage === undefined ? usageOf(asked, text) : options.usage
  const pieces = Array.from({ length: Math.ceil(text.length / pieceLength) }, (_, at) =>
    text.slice(at * pieceLength, (at + 1) * pieceLength),
  )
  const list = [chunk(asked, { role: 'assistant', content: '' }, null)]
  for (const content of pieces) list.push(chunk(asked, { content }, null))
  list.push(chunk(asked, {}, finish, usage === null ? {} : { usage }))
  if (done) list.push('[DONE]')
  return list.map((data) => event(data, lineEnd))
}

/** A whole answer as one JSON object. */
export function whole(asked: Asked, text: string, changes: object = {}): string {
  return JSON.stringify({
    id: `f${asked.order}`,
    object: 'chat.completion',
    model: asked.model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: usageOf(asked, text),
    ...changes,
  })
}

/** An answer as asked for: streamed or whole. What the answer is to go on from is not repeated. */
export function answer(text?: string, options: StreamOptions = {}): Fault {
  return (asked) => {
    const all = text ?? answerOf(asked.step)
    const rest = asked.prefix !== undefined && all.startsWith(asked.prefix) ? all.slice(asked.prefix.length) : all
    return asked.stream
      ? { headers: eventStream, parts: [events(asked, rest, options).join('')], tokens: tokensOf(rest) }
      : { headers: jsonType, parts: [whole(asked, rest)], tokens: tokensOf(rest) }
  }
}

export function refusal(
  status: number,
  body: unknown = { error: { message: `refused with ${status}` } },
  headers: Readonly<Record<string, string>> = {},
): Fault {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return () => ({ status, headers: { ...jsonType, ...headers }, parts: [text] })
}

/** The same, so many ms later. */
export const late =
  (delayMs: number, fault: Fault): Fault =>
  (asked) => ({ ...fault(asked), delayMs })
