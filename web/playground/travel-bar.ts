/** Time travel: a slider over the records of a run's journal. What is shown is what `aetherflow replay --until` shows. */
import { formatDuration } from '../standard/format.js'
import type { ReplayState } from '../standard/run/replay.js'
import { h } from '../element/dom.js'

export interface TravelOptions {
  /** Show the run after this record; undefined: as it ended. */
  readonly onTravel: (record: number | undefined) => void
}

export class TravelBar {
  readonly element: HTMLElement
  readonly #slider: HTMLInputElement
  readonly #words = h('output', { class: 'moment', for: 'travel' })
  readonly #back: HTMLButtonElement
  readonly #onTravel: (record: number | undefined) => void
  /** Of the run that is offered; 0 if there is none. */
  records = 0

  constructor({ onTravel }: TravelOptions) {
    this.#onTravel = onTravel
    this.#slider = h('input', { type: 'range', id: 'travel', min: 0, max: 0, step: 1, value: 0 })
    this.#slider.addEventListener('input', () => this.#moved())
    const step = (words: string, label: string, by: number): HTMLElement =>
      h(
        'button',
        { type: 'button', class: 'af-icon-button', 'aria-label': label, title: label, onclick: () => this.#by(by) },
        words,
      )
    this.#back = h('button', { type: 'button', class: 'plain', onclick: () => this.#end() }, 'Back to the end')
    this.element = h(
      'div',
      { class: 'travel', role: 'group', 'aria-label': 'Time travel', hidden: true },
      h('label', { for: 'travel' }, 'Time travel'),
      step('‹', 'One record back', -1),
      this.#slider,
      step('›', 'One record on', 1),
      this.#back,
      this.#words,
    )
  }

  /** There is a run with so many records; 0 if there is none. */
  offer(records: number): void {
    this.records = records
    this.element.hidden = records === 0
    this.#slider.max = String(records)
    this.#slider.value = String(records)
    this.#back.hidden = true
    this.#tell(`${records} records`)
  }

  /** What the run was at the slider's record. */
  tell(state: ReplayState): void {
    const next = state.next.length === 0 ? '' : `; next: ${state.next.slice(0, 3).join(', ')}`
    const more = state.next.length > 3 ? ` and ${state.next.length - 3} more` : ''
    this.#tell(`${state.record} / ${this.records} · ${formatDuration(state.at)} · ${state.words}${next}${more}`)
  }

  failed(words: string): void {
    this.#tell(words)
  }

  #tell(words: string): void {
    this.#words.textContent = words
    this.#words.title = words
    this.#slider.setAttribute('aria-valuetext', words)
  }

  #moved(): void {
    const record = Number(this.#slider.value)
    const atEnd = record === this.records
    this.#back.hidden = atEnd
    if (atEnd) this.#tell(`${this.records} records`)
    this.#onTravel(atEnd ? undefined : record)
  }

  #by(records: number): void {
    this.#slider.value = String(Number(this.#slider.value) + records)
    this.#moved()
  }

  #end(): void {
    this.#slider.value = String(this.records)
    this.#moved()
    this.#slider.focus()
  }
}
