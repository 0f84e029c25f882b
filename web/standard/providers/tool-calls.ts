/** Calls of tools as they come in pieces. */
import type { ToolCall } from '../../../bindings/chat.js'

interface Piece {
  readonly index?: unknown
  readonly id?: unknown
  readonly function?: { readonly name?: unknown; readonly arguments?: unknown } | null
}

/** Most calls of one reply, and most characters of their arguments together: a reply is untrusted. */
const mostCalls = 128
const mostCharacters = 4 * 1024 * 1024

/**
 * Put together by their `index`; hosts that leave it out begin a new call with each new id. Some repeat the id on every piece, some
 * send the arguments as an object.
 */
export class ToolCalls {
  readonly #calls: { id: string; name: string; pieces: string[] }[] = []
  readonly #places = new Map<number, number>()
  #length = 0

  /** Takes the member `tool_calls` of a message or delta; whether anything was in it. */
  take(value: unknown): boolean {
    if (!Array.isArray(value)) return false
    let some = false
    for (const piece of value as readonly (Piece | null)[]) {
      if (typeof piece !== 'object' || piece === null) continue
      some = this.#takeOne(piece) || some
    }
    return some
  }

  all(): ToolCall[] {
    return this.#calls.map(({ id, name, pieces }, at) => {
      const text = pieces.join('')
      return { id: id === '' ? `call_${at}` : id, name, arguments: text.trim() === '' ? '{}' : text }
    })
  }

  #takeOne(piece: Piece): boolean {
    const call = this.#callOf(piece)
    if (call === undefined) return false
    if (typeof piece.id === 'string' && piece.id !== '' && call.id === '') call.id = piece.id
    const { name, arguments: args } = piece.function ?? {}
    if (typeof name === 'string' && call.name === '') call.name = name
    const text = typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args)
    if ((this.#length += text.length) <= mostCharacters) call.pieces.push(text)
    return true
  }

  #callOf({ index, id }: Piece) {
    const at = typeof index === 'number' ? index : undefined
    const place = at === undefined ? this.#placeOfId(id) : this.#places.get(at)
    if (place !== undefined) return this.#calls[place]
    if (this.#calls.length >= mostCalls) return undefined
    const fresh = { id: '', name: '', pieces: [] }
    if (at !== undefined) this.#places.set(at, this.#calls.length)
    this.#calls.push(fresh)
    return fresh
  }

  /** Without an index: a new id begins a call, none continues the last. */
  #placeOfId(id: unknown): number | undefined {
    if (typeof id !== 'string' || id === '') return this.#calls.length > 0 ? this.#calls.length - 1 : undefined
    const known = this.#calls.findIndex((call) => call.id === id)
    return known < 0 ? undefined : known
  }
}
