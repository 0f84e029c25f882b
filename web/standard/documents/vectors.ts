/** The vectors of sections: windows of words with the titles in front, kept by what was embedded. */
import type { Embedder } from '../../../bindings/cache/ports.js'
import type { Section } from '../../../bindings/index/core.js'

const windowWords = 150
const stepWords = 120

/** Which text a vector is of: a section that moved keeps its vectors, one under another title does not. */
export const vectorKey = ({ hash, titles }: Pick<Section, 'hash' | 'titles'>): string => `${hash} ${titles}`

/** Overlapping windows of a text; the whole when it is short. */
export function windowsOf(text: string, titles: string): string[] {
  const words = text.split(/\s+/).filter(Boolean)
  const head = titles === '' ? '' : `${titles}\n`
  const out: string[] = []
  for (let at = 0; at === 0 || at + windowWords - stepWords < words.length; at += stepWords) {
    out.push(head + words.slice(at, at + windowWords).join(' '))
  }
  return out
}

/** Vectors of every window, one behind the other. A window that is too long for the model is halved. */
export async function embedWindows(embedder: Embedder, windows: readonly string[]): Promise<Float32Array> {
  const vectors: Float32Array[] = []
  for (const window of windows) await embedInto(vectors, embedder, window)
  const out = new Float32Array(vectors.length * embedder.dimensions)
  vectors.forEach((vector, i) => out.set(vector, i * embedder.dimensions))
  return out
}

async function embedInto(vectors: Float32Array[], embedder: Embedder, text: string): Promise<void> {
  const found = await embedder.embed(text)
  if (found !== undefined) vectors.push(found.vector)
  else if (text.length > 40) {
    const middle = text.lastIndexOf(' ', text.length / 2) + 1 || Math.floor(text.length / 2)
    await embedInto(vectors, embedder, text.slice(0, middle))
    await embedInto(vectors, embedder, text.slice(middle))
  }
}

/** The greatest cosine of each section's windows; 0 of a section that has none. */
export function cosines(sections: readonly (Float32Array | undefined)[], asked: Float32Array): Float32Array {
  const out = new Float32Array(sections.length)
  const dimensions = asked.length
  sections.forEach((vectors, number) => {
    let best = vectors === undefined || vectors.length === 0 ? 0 : -1
    for (let at = 0; vectors !== undefined && at + dimensions <= vectors.length; at += dimensions) {
      let sum = 0
      for (let i = 0; i < dimensions; i++) sum += vectors[at + i]! * asked[i]!
      if (sum > best) best = sum
    }
    out[number] = best
  })
  return out
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** `{checksum, dimensions, keys: [key, windows][]}` as JSON behind its length (u32), then the floats in that order. */
export function packVectors(all: ReadonlyMap<string, Float32Array>, checksum: string, dimensions: number): Uint8Array {
  const keys = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
  const head = encoder.encode(
    JSON.stringify({ checksum, dimensions, keys: keys.map(([key, floats]) => [key, floats.length / dimensions]) }),
  )
  const padded = Math.ceil((4 + head.length) / 4) * 4
  const floats = keys.reduce((sum, [, vectors]) => sum + vectors.length, 0)
  const out = new Uint8Array(padded + floats * 4)
  new DataView(out.buffer).setUint32(0, head.length, true)
  out.set(head, 4)
  let at = padded
  for (const [, vectors] of keys) {
    out.set(new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength), at)
    at += vectors.byteLength
  }
  return out
}

/** Of the same model; anything else, and damaged bytes, give none: they are embedded again. */
export function unpackVectors(bytes: Uint8Array, checksum: string, dimensions: number): Map<string, Float32Array> {
  const out = new Map<string, Float32Array>()
  try {
    const copy = bytes.slice()
    const size = new DataView(copy.buffer).getUint32(0, true)
    const head = JSON.parse(decoder.decode(copy.subarray(4, 4 + size))) as {
      checksum: string
      dimensions: number
      keys: [string, number][]
    }
    if (head.checksum !== checksum || head.dimensions !== dimensions) return out
    let at = Math.ceil((4 + size) / 4) * 4
    for (const [key, windows] of head.keys) {
      const vectors = new Float32Array(copy.buffer, at, windows * dimensions)
      at += vectors.byteLength
      if (vectors.every(Number.isFinite)) out.set(key, vectors)
    }
    return out
  } catch {
    return out
  }
}
