/** Finds steps by their id, type, provider or state: Enter goes to the next of them, Shift and Enter back, Escape to the graph. */
import { formatCount } from '../standard/format.js'
import { h } from './dom.js'
import type { StepRow } from './run-rows.js'

/** Fewer steps are seen at a glance. */
const leastSteps = 10

export interface FinderOptions {
  readonly rows: () => readonly StepRow[]
  readonly onFind: (step: number) => void
  readonly onLeave: () => void
}

export class StepFinder {
  readonly element: HTMLElement
  readonly #input = h('input', {
    type: 'search',
    class: 'af-find-text',
    placeholder: 'Find a step',
    'aria-label': 'Find a step',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  readonly #said = h('span', { class: 'af-find-said', role: 'status' })
  readonly #options: FinderOptions
  #found: number[] = []
  #at = 0

  constructor(options: FinderOptions) {
    this.#options = options
    this.element = h('div', { class: 'af-find', role: 'search', hidden: true }, this.#input, this.#said)
    this.#input.addEventListener('input', () => this.#look())
    this.#input.addEventListener('keydown', (event) => this.#key(event))
  }

  /** There are so many steps. */
  offer(steps: number): void {
    this.element.hidden = steps < leastSteps
  }

  focus(): void {
    if (!this.element.hidden) this.#input.select()
  }

  #look(): void {
    const text = this.#input.value.trim().toLowerCase()
    const rows = this.#options.rows()
    const has = ({ info, provider, state }: StepRow): boolean =>
      [info.id, info.type, provider, state].some((word) => word.toLowerCase().includes(text))
    // What begins with the words stands before what only has them.
    const begins = (row: StepRow): number => (row.info.id.toLowerCase().startsWith(text) ? 0 : 1)
    const found = text === '' ? [] : rows.filter(has).sort((a, b) => begins(a) - begins(b) || a.index - b.index)
    this.#found = found.map(({ index }) => index)
    this.#at = 0
    this.#show(text !== '')
  }

  #show(asked: boolean): void {
    const step = this.#found[this.#at]
    const place = `${formatCount(this.#at + 1)} of ${formatCount(this.#found.length)}`
    this.#said.textContent = !asked ? '' : step === undefined ? 'none' : place
    if (step !== undefined) this.#options.onFind(step)
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const { length } = this.#found
    if (event.key === 'Escape') this.#options.onLeave()
    else if (event.key === 'Enter' && length > 0) {
      this.#at = (this.#at + (event.shiftKey ? length - 1 : 1)) % length
      this.#show(true)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
}
