import type { Fetch, Transport } from '../../bindings/ports.js'

/** Cuts within the last bytes, where finish, usage and [DONE] are, are tried at every byte. */
const tailBytes = 40

/** Asked for: cuts at every byte, for as long as that takes. */
export const every = process.env['AETHERFLOW_EVERY_CUT'] !== undefined

/** How far apart the cuts of short recordings are on a socket, where a reading takes milliseconds. AETHERFLOW_EVERY_CUT=1: every byte. */
export const socketStep = every ? 1 : 31

/** The same in process, where a reading takes less; no period of a stream's text is a multiple of it. */
const processStep = every ? 1 : 7

/** Where to cut a stream in two: at every `step`-th byte, and at every one near its end. */
export function cutsOf(bytes: Uint8Array, step: number): number[] {
  const all = new Set<number>()
  for (let cut = step; cut < bytes.length; cut += step) all.add(cut)
  for (let cut = Math.max(0, bytes.length - tailBytes); cut < bytes.length; cut++) all.add(cut)
  return [...all]
}

/** The platform's fetch that tells after how many bytes each read of the body ended. */
export function watching(ended: (bytes: number) => unknown): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    let bytes = 0
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform(part, controller) {
        ended((bytes += part.length))
        controller.enqueue(part)
      },
    })
    return new Response(response.body!.pipeThrough(watch), response)
  }
}

/** Least distance of two cuts in one event, bytes: far more than any mark that a reader looks for. */
const stride = 256

/**
 * Cuts a stream at every byte with few readings: in the p-th of them each event is cut at its p-th byte, and a long one again
 * every 256 bytes after that. A cut has nearly nothing to do with the next one, so each stands for a cut alone. Without
 * AETHERFLOW_EVERY_CUT only every seventh reading, and those that cut within the first bytes of an event.
 *
 *     data: {…}\n\n data: {…}\n\n data: {…}\n\n
 *       |             |             |              p = 3
 */
export function* everyCut(bytes: Uint8Array): Generator<readonly Uint8Array[]> {
  const starts = eventStarts(bytes)
  const lengths = starts.map((start, at) => (starts[at + 1] ?? bytes.length) - start)
  const readings = Math.min(stride, Math.max(...lengths))
  for (let place = 0; place < readings; place += place < headBytes ? 1 : processStep) {
    const cuts: number[] = []
    starts.forEach((start, at) => {
      for (let within = place; within < lengths[at]!; within += stride)
        if (start + within > 0) cuts.push(start + within)
    })
    yield [0, ...cuts].map((from, at) => bytes.subarray(from, cuts[at] ?? bytes.length))
  }
}

/** `data: ` and the blank line before it. */
const headBytes = 8

/** Where the events of a stream begin: after each blank line. */
function eventStarts(bytes: Uint8Array): number[] {
  const text = new TextDecoder('latin1').decode(bytes)
  const starts = [0]
  for (const { index, 0: blank } of text.matchAll(/\r\n\r\n|\n\n|\r\r/g))
    if (index + blank.length < bytes.length) starts.push(index + blank.length)
  return starts
}

/** A transport whose every reply is this stream, in these parts. */
export function playingParts(parts: readonly Uint8Array[], type = 'text/event-stream'): Transport {
  return {
    send() {
      let at = 0
      return Promise.resolve({
        status: 200,
        header: (name) => (name === 'content-type' ? type : null),
        body: { read: () => Promise.resolve(parts[at++]), cancel: () => undefined },
      })
    },
  }
}
