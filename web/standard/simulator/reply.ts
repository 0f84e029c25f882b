import type { InjectableFailure } from './profiles.js'
import type { Frame } from './timed-stream.js'
import type { ReplyContext, Wire } from './wire/wire.js'

/** When the tokens of a reply are there, real ms after its start. */
export interface Pace {
  readonly firstTokenMs: number
  /** 0: all at once. */
  readonly msPerToken: number
}

/** At most this many frames a second: a faster stream groups its tokens, so that hundreds of them cost few timers. */
const framesPerSecond = 30
/** Tokens in a frame when they are all there at once. */
const instantGroup = 16

export function replyMs(pace: Pace, tokens: number): number {
  return pace.firstTokenMs + Math.max(0, tokens - 1) * pace.msPerToken
}

/**
 * The frames of a streamed reply:
 *
 *     keep-alive · role · text · keep-alive · text · … · text · finish (· usage) · [DONE]
 *      0 ms        first token …                         when the group's last token is there
 *
 * `failure` breaks it off half-way, or holds it before the first token.
 */
export function* streamFrames(
  wire: Wire,
  context: ReplyContext,
  pieces: readonly string[],
  pace: Pace,
  failure: InjectableFailure | undefined,
): Generator<Frame> {
  if (wire.keepAlive) yield { atMs: 0, text: wire.keepAlive, tokens: 0 }
  if (failure === 'timeout_first_token') yield { atMs: Infinity, text: '', tokens: 0 }
  const first = wire.first(context)
  if (first) yield { atMs: pace.firstTokenMs, text: event(wire, first), tokens: 0 }
  // In two pieces: a client that looks for the echo in one of them only would show half of it.
  for (const part of halves(context.echo))
    yield { atMs: pace.firstTokenMs, text: event(wire, wire.piece(context, part, 0)), tokens: 0 }
  const group = pace.msPerToken > 0 ? Math.max(1, Math.ceil(1000 / framesPerSecond / pace.msPerToken)) : instantGroup
  // The first token goes alone: it is what the time to first token is measured by.
  for (let at = 0, size = 1; at < pieces.length; at += size, size = at === 1 ? group : size) {
    if (at >= pieces.length / 2 && (yield* brokenOff(wire, failure))) return
    const part = pieces.slice(at, at + size)
    yield {
      atMs: replyMs(pace, at + part.length),
      text: event(wire, wire.piece(context, part.join(''), at + part.length)),
      tokens: part.length,
    }
    if (at === 0 && wire.keepAlive) yield { atMs: 0, text: wire.keepAlive, tokens: 0 }
  }
  const end = replyMs(pace, pieces.length)
  for (const chunk of wire.last(context)) yield { atMs: end, text: event(wire, chunk), tokens: 0 }
  if (!wire.withoutDone) yield { atMs: end, text: 'data: [DONE]\n\n', tokens: 0 }
}

/** A whole reply, blank lines before it where the provider sends them; `failure` cuts it, holds it for ever or replaces it. */
export function* wholeFrames(
  wire: Wire,
  context: ReplyContext,
  pieces: readonly string[],
  pace: Pace,
  failure: InjectableFailure | undefined,
): Generator<Frame> {
  if (wire.blankLines) yield { atMs: 0, text: wire.blankLines, tokens: 0 }
  const atMs = failure === 'timeout_first_token' || failure === 'timeout_idle' ? Infinity : replyMs(pace, pieces.length)
  const text = JSON.stringify(
    failure === 'stream_error' ? brokenBody(wire) : wire.whole(context, context.echo + pieces.join('')),
  )
  if (failure === 'truncated') yield { atMs, text: text.slice(0, text.length / 2), tokens: 0 }
  else yield { atMs, text, tokens: pieces.length }
}

function* brokenOff(wire: Wire, failure: InjectableFailure | undefined): Generator<Frame, boolean> {
  if (failure === 'timeout_idle') yield { atMs: Infinity, text: '', tokens: 0 }
  if (failure === 'stream_error') {
    const body = brokenBody(wire)
    yield { atMs: 0, text: wire.bareErrors ? JSON.stringify(body, null, 2) : event(wire, body), tokens: 0 }
  }
  return failure === 'truncated' || failure === 'stream_error'
}

function halves(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)].filter((part) => part !== '')
}

function brokenBody(wire: Wire): object {
  return wire.refusal('server_error', { model: '', waitMs: 0 }).body as object
}

function event({ lineEnd = '\n' }: Wire, chunk: object): string {
  return `data: ${JSON.stringify(chunk)}${lineEnd}${lineEnd}`
}
