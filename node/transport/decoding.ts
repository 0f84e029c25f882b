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
  #unpacker: Promise<Unpacker | undefined> | undefined
  #failure: unknown
  /** Of the body below: told when all that came before it has been read. */
  #broken: unknown
  #cancelled = false

  constructor(inner: TransportBody, packing: string) {
    this.#inner = inner
    this.#packing = packing
  }

  async read(): Promise<Uint8Array | undefined> {
    const unpacker = await (this.#unpacker ??= this.#open())
    if (unpacker === undefined) return undefined
    for (;;) {
      const ready = unpacker.read() as Buffer | null
      if (ready !== null) return ready
      if (this.#cancelled) return undefined
      if (this.#failure !== undefined) throw this.#failure
      if (unpacker.readableEnded || unpacker.destroyed) {
        if (this.#broken !== undefined) throw this.#broken
        return undefined
      }
      await eventOf(unpacker)
    }
  }

  cancel(): void {
    this.#cancelled = true
    void this.#unpacker?.then((unpacker) => unpacker?.destroy())
    this.#inner.cancel()
  }

  /** Waits for the first bytes, which tell which deflate it is. */
  async #open(): Promise<Unpacker | undefined> {
    const first = await this.#inner.read()
    if (first === undefined || this.#cancelled) return undefined
    const unpacker = unpackerOf(this.#packing, first)
    unpacker.on('error', (error: NodeJS.ErrnoException) => {
      // A body that ends early gives what there is: whether it is whole, its reader sees.
      if (error.code === 'Z_BUF_ERROR') return
      this.#failure ??= Object.assign(new Error('the body is not packed as it says'), { code: 'ERR_CONTENT_DECODING' })
      this.#inner.cancel()
    })
    void this.#feed(unpacker, first)
    return unpacker
  }

  /** Writes on while the unpacked text is read: a part may unpack to more than is held at once. */
  async #feed(unpacker: Unpacker, first: Uint8Array): Promise<void> {
    try {
      for (let part: Uint8Array | undefined = first; part !== undefined; part = await this.#inner.read()) {
        while (unpacker.writableNeedDrain && !unpacker.destroyed) await eventOf(unpacker)
        // What is behind the end of the packed data is no part of the answer.
        if (unpacker.destroyed || unpacker.readableEnded) return
        unpacker.write(part)
      }
    } catch (error) {
      this.#broken = error
    }
    unpacker.end()
  }
}

/** Resolves at the next sign of life. */
function eventOf(unpacker: Unpacker): Promise<void> {
  const names = ['readable', 'drain', 'end', 'close', 'error']
  return new Promise((resolve) => {
    const happened = (): void => {
      for (const name of names) unpacker.off(name, happened)
      resolve()
    }
    for (const name of names) unpacker.on(name, happened)
  })
}
