/** What `memoize` keeps for all processes: JSON texts on a Redis server, each until its own end. */
import type { SharedValues } from '../../web/standard/preload/memoize.js'
import { digest } from '../digest.js'
import { keysUnder } from './address.js'
import type { RedisLink } from './link.js'

export class RedisValues implements SharedValues {
  readonly #link: RedisLink
  readonly #key: (key: string) => string

  /** `name`: of what is kept; other functions have others. */
  constructor(link: RedisLink, { name, prefix }: { readonly name: string; readonly prefix?: string | undefined }) {
    this.#link = link
    const key = keysUnder(prefix)
    this.#key = (what) => key(`value:${name}:${digest([what])}`)
  }

  async read(key: string): Promise<string | undefined> {
    const text = await this.#link.send('GET', this.#key(key))
    return typeof text === 'string' ? text : undefined
  }

  async write(key: string, json: string, ttlMs: number): Promise<void> {
    await this.#link.send('SET', this.#key(key), json, 'PX', Math.max(1, Math.floor(ttlMs)))
  }
}
