/** The figures of a run at a glance: time, steps, calls in flight, tokens, money, what was cached or reused, what failed. */
import { formatCompact, formatCost, formatCount, formatDuration, formatShare, formatUsd } from '../standard/format.js'
import { FrameLoop, h } from './dom.js'
import type { RunModel, StepRowState } from './run-model.js'

const names = {
  time: 'Time',
  steps: 'Steps done',
  flight: 'In flight',
  tokens: 'Tokens in / out',
  cached: 'Prompt cache',
  cost: 'Cost',
  reused: 'Reused',
  lost: 'Calls lost',
} as const
type Name = keyof typeof names

export class Counters {
  readonly element: HTMLElement
  readonly #values = new Map<Name, HTMLElement>()
  readonly #progress = h('div', {
    class: 'af-progress',
    role: 'progressbar',
    'aria-label': 'Steps that have ended',
    'aria-valuemin': 0,
    'aria-valuemax': 100,
    'aria-valuenow': 0,
  })
  readonly #parts = new Map<StepRowState, HTMLElement>()
  readonly #frames = new FrameLoop(() => this.#draw())
  #model: RunModel | undefined
  #clock: () => number = () => 0

  constructor() {
    const list = h('dl', { class: 'af-counters' })
    for (const name of Object.keys(names) as Name[]) {
      const value = h('dd', {}, '–')
      this.#values.set(name, value)
      list.append(h('div', { class: `af-count af-count-${name}` }, h('dt', {}, names[name]), value))
    }
    for (const state of barStates) {
      const part = h('span', { class: `af-part-${state}` })
      this.#parts.set(state, part)
      this.#progress.append(part)
    }
    this.element = h('div', { class: 'af-figures' }, list, this.#progress)
  }

  show(model: RunModel | undefined, clock?: () => number): void {
    this.#model = model
    this.#clock = clock ?? (() => model?.at ?? 0)
    this.refresh()
  }

  refresh(): void {
    this.#frames.ask()
  }

  #draw(): void {
    const model = this.#model
    const set = (name: Name, words: string, state = ''): void => {
      const value = this.#values.get(name)
      if (value === undefined) return
      if (value.textContent !== words) value.textContent = words
      value.dataset['state'] = state
    }
    if (model === undefined || model.rows.length === 0) {
      for (const name of this.#values.keys()) set(name, '–')
      this.#drawReused(undefined)
      return this.#fill(undefined)
    }
    const over = model.outcome !== undefined
    const { done, failed, skipped } = model.counts
    const now = Math.max(model.at, this.#clock())
    set('time', formatDuration(over ? model.at : Math.floor(now / 100) * 100))
    set(
      'steps',
      `${formatCount(done)} / ${formatCount(model.rows.length)}`,
      failed + skipped > model.unneeded ? 'bad' : '',
    )
    set('flight', formatCount(model.open))
    set('tokens', `${formatCompact(model.tokens.in)} / ${formatCompact(model.tokens.out + liveTokens(model))}`)
    set('cached', model.tokens.in === 0 ? '–' : formatShare(model.tokens.cached / model.tokens.in))
    set('cost', formatCost(model))
    this.#drawReused(model)
    set('lost', formatCount(model.callsLost), model.callsLost > 0 ? 'bad' : '')
    this.#fill(model)
    if (!over && model.open > 0) this.#frames.ask()
  }

  /** Shown only of runs that have a cache. */
  #drawReused(model: RunModel | undefined): void {
    const value = this.#values.get('reused')
    const group = value?.parentElement
    if (value === undefined || group == null) return
    group.hidden = model?.reuses !== true
    if (model?.reuses !== true) return
    const { reused, stepsCalled } = model
    const hits = reused.exact + reused.semantic + reused.shared
    value.textContent = `${formatCount(hits)} / ${formatCount(hits + stepsCalled)}`
    const saved = `${formatCount(reused.tokens)} tokens, ${formatUsd(reused.microUsd)}, ${formatDuration(reused.ms)} of work`
    group.title = `Steps answered without a call, of those that needed an answer. Saved: ${saved}`
  }

  /** How many steps ended how, side by side; the words stand above and in the status. */
  #fill(model: RunModel | undefined): void {
    const all = Math.max(1, model?.rows.length ?? 0)
    for (const [state, part] of this.#parts) part.style.flexGrow = String((model?.counts[state] ?? 0) / all)
    this.#progress.setAttribute('aria-valuenow', String(Math.floor(((model?.settled ?? 0) / all) * 100)))
  }
}

const barStates = ['done', 'failed', 'skipped', 'cancelled', 'running', 'ready', 'waiting'] as const

/** Of answers that are streaming; the few that run, not all rows. */
function liveTokens(model: RunModel): number {
  if (model.open === 0) return 0
  let sum = 0
  for (const row of model.rows) if (row.state === 'running') sum += row.liveTokens
  return sum
}
