import type { Fetch } from '../../bindings/ports.js'

/** Cuts within the last bytes, where finish, usage and [DONE] are, are tried at every byte. */
const tailBytes = 40

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
