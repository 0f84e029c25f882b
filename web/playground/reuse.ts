/**
 * Whether runs are answered by what earlier runs of this tab were told: a switch, and a button that forgets it all. The cache lives
 * in a worker's memory, and is opened when it is first wanted: who never does loads nothing of it.
 */
import { formatCount } from '../standard/format.js'
import { h } from '../element/dom.js'
import { SemanticCache, type AnswerCache } from '../browser/index.js'

export class Reuse {
  readonly element: HTMLElement
  readonly #switch = h('input', { type: 'checkbox', role: 'switch', id: 'set-reuse', 'aria-describedby': 'reuse-said' })
  readonly #clear: HTMLButtonElement
  readonly #said = h('span', { class: 'hint', id: 'reuse-said', 'aria-live': 'polite' })
  #opening: Promise<SemanticCache> | undefined
  /** What runs ask: one that cannot be opened fails them no step. */
  readonly #cache: AnswerCache = {
    get: async (question) => (await this.#open()).get(question),
    put: async (put) => (await this.#open()).put(put),
  }

  constructor() {
    this.#switch.addEventListener('change', () => void this.#tell())
    this.#clear = h('button', { type: 'button', class: 'plain', onclick: () => void this.#forget() }, 'Clear')
    const label = h('label', { for: this.#switch.id }, 'Reuse answers')
    this.element = h('div', { class: 'field wide reuse' }, this.#switch, label, this.#said, this.#clear)
    void this.#tell()
  }

  /** Undefined: every step is called. */
  get cache(): AnswerCache | undefined {
    return this.#switch.checked ? this.#cache : undefined
  }

  /** A run keeps to what it began with. */
  lock(locked: boolean): void {
    this.#switch.disabled = locked
    this.#clear.disabled = locked
    if (!locked) void this.#tell()
  }

  #open(): Promise<SemanticCache> {
    const opening = (this.#opening ??= SemanticCache.open())
    // Tried again by anyone who asks next.
    opening.catch(() => (this.#opening = undefined))
    return opening
  }

  async #tell(): Promise<void> {
    this.#clear.hidden = !this.#switch.checked && this.#opening === undefined
    if (!this.#switch.checked) return void (this.#said.textContent = '')
    await this.#say(async (cache) => {
      const { entries } = await cache.stats()
      if (!this.#switch.checked) return ''
      return entries === 0 ? 'none kept yet' : `${formatCount(entries)} kept in this tab`
    })
  }

  #forget(): Promise<void> {
    return this.#say(async (cache) => `${formatCount(await cache.clear())} forgotten`)
  }

  async #say(words: (cache: SemanticCache) => Promise<string>): Promise<void> {
    try {
      this.#said.textContent = await words(await this.#open())
    } catch (error) {
      this.#said.textContent = `no answers are kept: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}
