/** Checks of the cache on itself: would-be hits that are left to the model, to see what it says. */
import type { CacheOptions } from './options.js'

const mostWaiting = 10_000

export class Shadow {
  readonly #share: number
  readonly #same: NonNullable<CacheOptions['shadow']>['same']
  readonly #waiting = new Map<string, { readonly key: string; readonly eta: number }>()
  #wouldBeHits = 0

  constructor({ share = 0, same }: Partial<NonNullable<CacheOptions['shadow']>> = {}) {
    this.#share = share
    this.#same = same
  }

  /** True: this would-be hit is left to the model. Every n-th, so that runs repeat. */
  takes(key: string, served: string, eta: number): boolean {
    if (!(this.#share > 0)) return false
    const before = Math.floor(this.#wouldBeHits * this.#share)
    this.#wouldBeHits += 1
    if (Math.floor(this.#wouldBeHits * this.#share) === before) return false
    if (this.#waiting.size < mostWaiting) this.#waiting.set(key, { key: served, eta })
    return true
  }

  /** Which entry would have served the request, and at what η; told once. */
  take(key: string): { readonly key: string; readonly eta: number } | undefined {
    const found = this.#waiting.get(key)
    this.#waiting.delete(key)
    return found
  }

  /** Do two answers say the same? `undefined`: equal texts do, different ones say nothing. */
  async agree(kept: string, fresh: string): Promise<boolean | undefined> {
    if (this.#same !== undefined) return await this.#same(kept, fresh)
    return kept.trim() === fresh.trim() || undefined
  }
}
