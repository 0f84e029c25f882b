/** Bodies that come packed, whatever was asked for. */
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type BrotliDecompress,
  type Gunzip,
} from 'node:zlib'
import type { TransportBody, TransportReply } from '../../bindings/ports.js'

type Unpacker = Gunzip | BrotliDecompress

/** The reply with its body unpacked; itself where it is not packed, or in a way that nobody knows. */
export function decoded(reply: TransportReply): TransportReply {
  const packings = (reply.header('content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((packing) => packing.trim())
    .filter((packing) => packing !== '' && packing !== 'identity')
  if (packings.length === 0 || !packings.every((packing) => known.has(packing))) return reply
  // The last that was applied is the first to go.
  const body = packings.reduceRight<TransportBody>((inner, packing) => new UnpackedBody(inner, packing), reply.body)
  return { status: reply.status, header: (name) => reply.header(name), body }
}

const known: ReadonlySet<string> = new Set(['gzip', 'x-gzip', 'deflate', 'br'])

function unpackerOf(packing: string, first: Uint8Array): Unpacker {
  if (packing === 'br') return createBrotliDecompress()
  if (packing !== 'deflate') return createGunzip()
  // "deflate" is zlib's format; some send it without zlib's header, whose first byte has 8 in its lower half.
  return (first[0]! & 0x0f) === 8 ? createInflate() : createInflateRaw()
}

class UnpackedBody implements TransportBody {
  readonly #inner: TransportBody
  readonly #packing: string
  #unpacker: Unpacker | undefined
  #cancelled = false

  constructor(inner: TransportBody, packing: string) {
    this.#inner = inner
    this.#packing = packing
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const ready = this.#unpacker?.read() as Buffer | null | undefined
      if (ready != null && ready.length > 0) return ready
      const part = await this.#inner.read()
      if (part === undefined) return this.#finish()
      this.#unpacker ??= unpackerOf(this.#packing, part)
      await this.#push(this.#unpacker, part)
    }
  }

  cancel(): void {
    this.#cancelled = true
    this.#unpacker?.destroy()
    this.#inner.cancel()
  }

  /** Writes a part and waits until all of it is through; a body that is no such packing rejects. */
  #push(unpacker: Unpacker, part: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#cancelled) return resolve()
      const failed = () => {
        this.#inner.cancel()
        reject(Object.assign(new Error('the body is not packed as it says'), { code: 'ERR_CONTENT_DECODING' }))
      }
      unpacker.once('error', failed)
      unpacker.write(part, () => {
        // What is behind the end of the packed data is no part of the answer.
        unpacker.off('error', failed)
        unpacker.on('error', () => undefined)
        resolve()
      })
    })
  }

  /** What the packing held back. A body that ends early gives what there is: whether it is whole, its reader sees. */
  async #finish(): Promise<Uint8Array | undefined> {
    const unpacker = this.#unpacker
    this.#unpacker = undefined
    if (unpacker === undefined || this.#cancelled || unpacker.destroyed) return undefined
    const parts: Buffer[] = []
    await new Promise<void>((resolve) => {
      unpacker.on('data', (part: Buffer) => parts.push(part))
      unpacker
        .once('end', resolve)
        .once('error', () => resolve())
        .once('close', resolve)
      unpacker.end()
    })
    return parts.length > 0 ? Buffer.concat(parts) : undefined
  }
}
