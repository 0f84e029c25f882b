/** What a run is started with: example, mode, providers, speed. Selects of the platform: they work with keyboard, touch and readers. */
import { draftUses, type DraftUse } from '../../bindings/generated/wire.js'
import type { AnswerCache } from '../browser/index.js'
import { h } from '../element/dom.js'
import { examples } from './examples.js'
import { Reuse } from './reuse.js'

export interface Choices {
  readonly mode: string
  /** Profile of the simulator; undefined: real providers. */
  readonly simulate: string | undefined
  /** Undefined: as the plan says. */
  readonly draft: DraftUse | undefined
  /** How many times as fast as the profile claims. */
  readonly speed: number
  /** Most that a run may cost, US dollars; undefined: no limit. */
  readonly budgetUsd: number | undefined
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
  { value: 'analysis-fast', words: 'analysis-fast' },
]
const drafts: readonly Choice[] = [
  { value: '', words: 'as planned' },
  { value: 'auto', words: 'where faster' },
  { value: 'always', words: 'always' },
  { value: 'off', words: 'off' },
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
  readonly onChange: () => void
  readonly onNew: () => void
  readonly onOpen: () => void
  readonly onSave: () => void
}

export class Settings {
  readonly element: HTMLElement
  readonly #example: HTMLSelectElement
  readonly #mode: HTMLSelectElement
  readonly #source: HTMLSelectElement
  readonly #speed: HTMLSelectElement
  readonly #draft: HTMLSelectElement
  readonly #budget = h('input', {
    id: 'set-budget',
    type: 'text',
    inputmode: 'decimal',
    placeholder: 'none',
    autocomplete: 'off',
    title: 'Most that a run may cost, US dollars; empty: no limit',
  })
  readonly #reuse = new Reuse()

  constructor(options: SettingsOptions) {
    const changed = (): void => {
      this.#speed.disabled = this.#source.value === real
      this.#budget.setAttribute('aria-invalid', String(Number.isNaN(this.#limit)))
      options.onChange()
    }
    const list = examples.map(({ id, title, shows }) => ({ value: id, words: `${title}: ${shows}` }))
    this.#example = select('example', [{ value: '', words: 'own plan' }, ...list], '')
    this.#mode = select('mode', modes, 'build')
    this.#source = select('source', sources, 'default')
    this.#speed = select('speed', speeds, '10')
    this.#draft = select('draft', drafts, '')
    this.#draft.title =
      'A fast model drafts, a strong one of another family verifies: an answer is seen sooner, and marked until it is confirmed'
    this.#speed.title =
      'How many times as fast as providers claim to be. The times shown are those of the claims; a machine that cannot keep up shows longer ones.'
    this.#example.addEventListener('change', () => {
      if (this.#example.value !== '') options.onExample(this.#example.value)
    })
    for (const element of this.#run) element.addEventListener('change', changed)
    const button = (words: string, title: string, action: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'plain', title, onclick: action }, words)
    const file = h(
      'div',
      { class: 'file', role: 'group', 'aria-label': 'Plan file' },
      button('New', 'A small plan to begin with', options.onNew),
      button('Open', 'Open a plan file', options.onOpen),
      button('Save', 'Save the plan as a file (Ctrl or ⌘ and S)', options.onSave),
    )
    this.element = h(
      'form',
      { class: 'settings', 'aria-label': 'Settings of the run', onsubmit: (event: Event) => event.preventDefault() },
      h('div', { class: 'field wide plan' }, field('Example', this.#example), file),
      field('Mode', this.#mode),
      field('Providers', this.#source),
      field('Speed', this.#speed, 'small'),
      field('Budget, $', this.#budget, 'small'),
      field('Drafts', this.#draft),
      this.#reuse.element,
    )
  }

  get #run(): readonly (HTMLSelectElement | HTMLInputElement)[] {
    return [this.#mode, this.#source, this.#speed, this.#draft, this.#budget]
  }

  /** NaN: what stands there is no amount. */
  get #limit(): number {
    const text = this.#budget.value.trim().replace(/^\$/, '').replace(',', '.')
    const amount = text === '' ? Infinity : Number(text)
    return amount > 0 ? amount : Number.NaN
  }

  get choices(): Choices {
    const simulate = this.#source.value === real ? undefined : this.#source.value
    const budgetUsd = Number.isFinite(this.#limit) ? this.#limit : undefined
    return {
      mode: this.#mode.value,
      draft: draftUses.find((use) => use === this.#draft.value),
      simulate,
      speed: Number(this.#speed.value),
      budgetUsd,
      cache: this.#reuse.cache,
    }
  }

  /** By their names, to be restored. */
  get values(): Record<string, string> {
    return Object.fromEntries(this.#run.map(({ id, value }) => [id.replace('set-', ''), value]))
  }

  /** What is no value of a setting leaves it as it is. */
  restore(values: Readonly<Record<string, string>>): void {
    for (const control of this.#run) {
      const value = values[control.id.replace('set-', '')]
      if (value === undefined) continue
      const known = control instanceof HTMLInputElement || [...control.options].some((option) => option.value === value)
      if (known) control.value = value
    }
    this.#speed.disabled = this.#source.value === real
  }

  get exampleId(): string {
    return this.#example.value
  }

  /** Shows which example the plan is; '': none. */
  example(id: string, mode?: string): void {
    this.#example.value = id
    if (mode !== undefined) this.#mode.value = mode
  }

  lock(locked: boolean): void {
    for (const element of this.#run) element.disabled = locked
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
