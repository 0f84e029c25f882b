/** Embeddings in files of their own: 16 bytes of key, then float32, little endian. In memory is only where each lies. */
import { endianness } from 'node:os'
import { encodeRecord, type FoundRecord } from './record.js'
import type { Location, Segment } from './segments.js'

const bigEndian = endianness() === 'BE'

export interface VectorPlace extends Location {
  /** Somebody has asked for it since: it is worth more than one that nobody has. */
  asked: boolean
}

export function vectorRecord(key: string, vector: Float32Array): Buffer {
  const bytes = Buffer.from(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength))
  if (bigEndian) bytes.swap32()
  return encodeRecord('vector', Buffer.from(key, 'hex'), bytes)
}

/** Undefined when it is of another key. */
export function vectorOf(key: string, { head, body }: { head: Buffer; body: Buffer }): Float32Array | undefined {
  if (head.toString('hex') !== key || body.length % 4 !== 0) return undefined
  const bytes = new Uint8Array(body)
  if (bigEndian) Buffer.from(bytes.buffer).swap32()
  return new Float32Array(bytes.buffer)
}

export class VectorIndex {
  readonly places = new Map<string, VectorPlace>()
  readonly #damaged: (what: string) => void

  constructor(damaged: (what: string) => void) {
    this.#damaged = damaged
  }

  record(segment: Segment, { kind, head, offset, headBytes, bodyBytes }: FoundRecord): boolean {
    if (kind !== 'vector') return true
    if (head.length !== 16) return false
    this.add(head.toString('hex'), { segment, offset, headBytes, bodyBytes })
    return true
  }

  add(key: string, { segment, offset, headBytes, bodyBytes }: Location): void {
    const asked = this.places.get(key)?.asked ?? false
    // Anew, so that the order is that of writing.
    this.places.delete(key)
    this.places.set(key, { segment, offset, headBytes, bodyBytes, asked })
  }

  gone(segments: ReadonlySet<Segment>): void {
    for (const [key, { segment }] of this.places) if (segments.has(segment)) this.places.delete(key)
  }

  /** Its record turned out to be unreadable. */
  lost(key: string, { segment }: Location): void {
    this.places.delete(key)
    segment.damaged = true
    this.#damaged(`an embedding of ${segment.name} is unreadable`)
  }
}
