/** Signs of life of workers and owners: a value under a name of its own, which ends by itself, and a set of those names. */
import type { RedisLink } from './link.js'

/** Longest sign of life, ms. */
export const aliveMs = 15_000

export interface AlivePlace {
  /** The set of ids. */
  readonly all: string
  /** Where the state of an id lies. */
  one(id: string): string
}

/** Shows a state for as long as its process lives. */
export class Alive {
  readonly #link: RedisLink
  readonly #place: AlivePlace
  readonly #state: () => { readonly id: string }
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(link: RedisLink, place: AlivePlace, state: () => { readonly id: string }) {
    this.#link = link
    this.#place = place
    this.#state = state
  }

  /** At once, and again and again. A server that is away hears of it when it is back. Never rejects. */
  async show(): Promise<void> {
    clearTimeout(this.#timer)
    const state = this.#state()
    await this.#link.send('SADD', this.#place.all, state.id).catch(() => undefined)
    if (this.#over) return
    const text = JSON.stringify(state)
    await this.#link.send('SET', this.#place.one(state.id), text, 'PX', aliveMs).catch(() => undefined)
    if (this.#over) return
    this.#timer = setTimeout(() => void this.show(), aliveMs / 5)
    this.#timer.unref()
  }

  /** It is gone. Never rejects. */
  async end(): Promise<void> {
    this.#over = true
    clearTimeout(this.#timer)
    const { id } = this.#state()
    await this.#link.send('DEL', this.#place.one(id)).catch(() => undefined)
    await this.#link.send('SREM', this.#place.all, id).catch(() => undefined)
  }
}

/** The states that were shown lately, by id; names of the others are forgotten. Rejects with what the connection says. */
export async function listAlive<State>(link: RedisLink, { all, one }: AlivePlace): Promise<State[]> {
  const ids = ((await link.send('SMEMBERS', all)) as string[]).sort()
  if (ids.length === 0) return []
  const texts = (await link.send('MGET', ...ids.map((id) => one(id)))) as (string | null)[]
  const gone = ids.filter((_, at) => texts[at] === null)
  if (gone.length > 0) await link.send('SREM', all, ...gone)
  return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as State]))
}
