/** What a run is started with: example, mode, providers, speed. Selects of the platform: they work with keyboard, touch and readers. */
import type { AnswerCache } from '../browser/index.js'
import { h } from '../element/dom.js'
import { examples } from './examples.js'
import { Reuse } from './reuse.js'

export interface Choices {
  readonly mode: string
  /** Profile of the simulator; undefined: real providers. */
  readonly simulate: string | undefined
  readonly speed: number
  /** Undefined: no answers are reused. */
  readonly cache: AnswerCache | undefined
}

interface Choice {
  readonly value: string
  readonly words: string
}

const modes: readonly Choice[] = [
  { value: 'build', words: 'build' },
  { value: 'fast', words: 'fast' },
  { value: 'double-check', words: 'double-check' },
]
const real = 'real'
const sources: readonly Choice[] = [
  { value: 'default', words: 'simulated' },
  { value: 'flaky', words: 'simulated, failing often' },
  { value: 'mission', words: 'simulated, 30 s an answer' },
  { value: 'instant', words: 'simulated, at once' },
  { value: real, words: 'real, with your keys' },
]
const speeds: readonly Choice[] = [
  { value: '0.25', words: '¼ ×' },
  { value: '1', words: '1 ×' },
  { value: '3', words: '3 ×' },
  { value: '10', words: '10 ×' },
  { value: '100', words: '100 ×' },
]

export interface SettingsOptions {
  readonly onExample: (id: string) => void
  readonly onChange: (choices: Choices) => void
}

export class Settings {
  readonly element: HTMLElement
  readonly #example: HTMLSelectElement
  readonly #mode: HTMLSelectElement
  readonly #source: HTMLSelectElement
  readonly #speed: HTMLSelectElement
  readonly #reuse = new Reuse()

  constructor({ onExample, onChange }: SettingsOptions) {
    const changed = (): void => {
      this.#speed.disabled = this.#source.value === real
      onChange(this.choices)
    }
    const list = examples.map(({ id, title, shows }) => ({ value: id, words: `${title}: ${shows}` }))
    this.#example = select('example', [{ value: '', words: 'own plan' }, ...list], '')
    this.#mode = select('mode', modes, 'build')
    this.#source = select('source', sources, 'default')
    this.#speed = select('speed', speeds, '1')
    this.#example.addEventListener('change', () => {
      if (this.#example.value !== '') onExample(this.#example.value)
    })
    for (const element of [this.#mode, this.#source, this.#speed]) element.addEventListener('change', changed)
    this.element = h(
      'form',
      { class: 'settings', 'aria-label': 'Settings of the run', onsubmit: (event: Event) => event.preventDefault() },
      field('Example', this.#example, 'wide'),
      field('Mode', this.#mode),
      field('Providers', this.#source),
      field('Speed', this.#speed, 'small'),
      this.#reuse.element,
    )
  }

  get choices(): Choices {
    const simulate = this.#source.value === real ? undefined : this.#source.value
    return { mode: this.#mode.value, simulate, speed: Number(this.#speed.value), cache: this.#reuse.cache }
  }

  /** Shows which example the plan is; '': none. */
  example(id: string, mode?: string): void {
    this.#example.value = id
    if (mode !== undefined) this.#mode.value = mode
  }

  lock(locked: boolean): void {
    for (const element of [this.#mode, this.#source, this.#speed]) element.disabled = locked
    this.#reuse.lock(locked)
    if (!locked) this.#speed.disabled = this.#source.value === real
  }
}

function select(name: string, choices: readonly Choice[], value: string): HTMLSelectElement {
  const options = choices.map((choice) => h('option', { value: choice.value }, choice.words))
  const element = h('select', { id: `set-${name}`, name }, ...options)
  element.value = value
  return element
}

function field(label: string, control: HTMLElement, size = ''): HTMLElement {
  return h('div', { class: `field ${size}` }, h('label', { for: control.id }, label), control)
}
