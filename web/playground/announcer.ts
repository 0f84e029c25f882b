/** Tells people who do not see the screen how the run goes: sparingly, for every word interrupts them. */
import { formatDuration, plural } from '../standard/format.js'
import { h } from '../element/dom.js'
import type { RunModel } from '../element/run-model.js'

/** Shares of the steps at which the progress is told. */
const milestones = [0.25, 0.5, 0.75]

export class Announcer {
  readonly element = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' })
  #told = 0
  #failed = 0

  say(words: string): void {
    this.element.textContent = words
  }

  began(words: string): void {
    this.#told = 0
    this.#failed = 0
    this.say(words)
  }

  progress(model: RunModel): void {
    const share = model.rows.length === 0 ? 0 : model.settled / model.rows.length
    const passed = milestones.filter((milestone) => share >= milestone).length
    const { failed } = model.counts
    // The first failure is news; each further one would drown the rest.
    if (failed > 0 && this.#failed === 0) {
      const row = model.rows.find(({ state }) => state === 'failed')
      this.say(`Step ${row?.info.id ?? ''} failed: ${row?.note ?? ''}`)
    } else if (passed > this.#told && share < 1) {
      this.say(`${model.settled} of ${plural(model.rows.length, 'step')} ended after ${formatDuration(model.at)}`)
    }
    this.#told = passed
    this.#failed = failed
  }
}
