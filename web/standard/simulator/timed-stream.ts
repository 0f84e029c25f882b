import type { Clock } from '../../../bindings/ports.js'

/** One piece of a body and when it leaves. */
export interface Frame {
  /** Real ms after the start; a time that has passed means at once. `Infinity`: never, the stream stands still. */
  readonly atMs: number
  readonly text: string
  /** Answer tokens in it. */
  readonly tokens: number
}

export interface TimedStreamOptions {
  readonly clock: Clock
  readonly startMs: number
  /** The client's: an abort ends the body with an error, as the platform's fetch does. */
  readonly signal: AbortSignal
  onFrame(frame: Frame): void
  /** Once: `aborted` when the client left before the end. */
  onEnd(aborted: boolean): void
}

/**
 * A body whose frames leave at their times, by the clock given. Frames are made as the reader asks for them, so a slow
 * reader costs no memory. Ends when the frames do.
 */
export function timedStream(frames: Iterator<Frame>, options: TimedStreamOptions): ReadableStream<Uint8Array> {
  const { clock, startMs, signal } = options
  const encoder = new TextEncoder()
  let wake: (() => void) | undefined
  let cancelTimer: (() => void) | undefined
  let ended = false
  let next = frames.next()
  const end = (aborted: boolean) => {
    if (ended) return
    ended = true
    cancelTimer?.()
    wake?.()
    signal.removeEventListener('abort', onAbort)
    options.onEnd(aborted)
  }
  let controller: ReadableStreamDefaultController<Uint8Array>
  const onAbort = () => {
    if (ended) return
    end(true)
    controller.error(new DOMException('This operation was aborted', 'AbortError'))
  }
  const until = (atMs: number) =>
    new Promise<void>((resolve) => {
      const restMs = startMs + atMs - clock.now()
      if (restMs <= 0 || ended) return resolve()
      wake = resolve
      if (Number.isFinite(restMs)) cancelTimer = clock.after(restMs, resolve)
    })
  return new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    },
    async pull() {
      if (!next.done) {
        await until(next.value.atMs)
        if (ended) return
        options.onFrame(next.value)
        controller.enqueue(encoder.encode(next.value.text))
        next = frames.next()
      }
      // Closed with the last frame, not at the next read: a client may leave once it has seen the end.
      if (next.done) {
        end(false)
        controller.close()
      }
    },
    cancel: () => end(true),
  })
}

/** Resolves after `ms` by the clock; rejects as the platform's fetch does when the signal is aborted first. */
export function delay(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel?.()
      reject(new DOMException('This operation was aborted', 'AbortError'))
    }
    let cancel: (() => void) | undefined
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    const done = () => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    if (ms <= 0) done()
    else if (Number.isFinite(ms)) cancel = clock.after(ms, done)
  })
}
