/**
 * When each step ran and what it waited for: a row a step, a bar a call, a dashed line a wait. Only rows in sight exist, so
 * that plans of any size scroll smoothly. A list box: arrow keys go from step to step, Enter opens one.
 */
import { formatDuration } from '../standard/format.js'
import { fill, FrameLoop, h } from './dom.js'
import type { Bar, StepRow } from './run-rows.js'
import type { RunModel } from './run-model.js'
import { LanesView } from './lanes-view.js'
import { reusedWords } from './reused-words.js'
import { stateIcon } from './state-icon.js'
import { headAndTail } from './shorten.js'
import { cacheMark, markOf, rowWords, triesOf } from './step-words.js'
import { providerVariable } from './theme.js'

const rowHeight = 25
/** The axis stays above the rows. */
const axisHeight = 23
/** Rows beyond what is seen, on both sides. */
const slack = 4

export interface TimelineOptions {
  readonly onSelect: (step: number, open: boolean) => void
}

interface Drawn {
  readonly element: HTMLElement
  /** What the row was drawn from; equal: nothing to make again. */
  key: string
  readonly open: readonly Open[]
}

/** A bar or wait that has not ended. */
interface Open {
  readonly part: HTMLElement
  readonly from: number
}

let instances = 0

/** Of more steps than this the calls by provider say more than a row a step, until somebody picks. */
const manySteps = 60
const views = { steps: 'Steps', providers: 'Providers' } as const

export class TimelineView {
  readonly element: HTMLElement
  readonly #list: HTMLElement
  readonly #sheet = h('div', { class: 'af-lines', role: 'presentation' })
  readonly #axis = h('div', { class: 'af-axis', 'aria-hidden': 'true' })
  readonly #legend = h('ul', { class: 'af-legend', 'aria-label': 'Providers' })
  readonly #cursor = h('div', { class: 'af-cursor', 'aria-hidden': 'true' })
  readonly #options: TimelineOptions
  readonly #frames = new FrameLoop(() => this.#draw())
  readonly #drawn = new Map<number, Drawn>()
  readonly #id = `af-timeline-${++instances}`
  readonly #lanes: LanesView
  readonly #switch = h('div', { class: 'af-switch', role: 'group', 'aria-label': 'Timeline by' })
  /** What somebody has picked. */
  #picked: keyof typeof views | undefined
  #model: RunModel | undefined
  #clock: () => number = () => 0
  #order: number[] = []
  #ordered = ''
  #axisMs = 0
  #selected = -1
  /** Read when they change: reading them at every frame would lay the page out each time. */
  readonly #seen = { top: 0, height: 0 }
  /** Rows that have just started are kept in sight until somebody scrolls. */
  #follows = true

  constructor(options: TimelineOptions) {
    this.#options = options
    this.#list = h(
      'div',
      { class: 'af-rows', role: 'listbox', tabindex: 0, 'aria-label': 'Timeline of the steps' },
      this.#axis,
      this.#sheet,
      this.#cursor,
    )
    this.#lanes = new LanesView({
      onSelect: (step, open) => {
        this.select(step)
        options.onSelect(step, open)
      },
    })
    for (const view of ['steps', 'providers'] as const) {
      const pick = (): void => {
        this.#picked = view
        this.refresh()
      }
      this.#switch.append(h('button', { type: 'button', 'data-view': view, onclick: pick }, views[view]))
    }
    const foot = h('div', { class: 'af-foot' }, this.#legend, this.#switch)
    this.element = h('div', { class: 'af-timeline' }, this.#list, this.#lanes.element, foot)
    this.#list.addEventListener('scroll', () => this.#scrolled(), { passive: true })
    for (const name of ['wheel', 'pointerdown', 'keydown']) {
      this.#list.addEventListener(name, () => (this.#follows = false), { passive: true })
    }
    this.#list.addEventListener('keydown', (event) => this.#key(event))
    this.#sheet.addEventListener('click', (event) => this.#click(event))
    new ResizeObserver(() => this.#scrolled()).observe(this.#list)
  }

  /** Undefined: nothing to show. `clock`: time of the run, ms, while it goes on. */
  show(model: RunModel | undefined, clock?: () => number): void {
    this.#model = model
    this.#clock = clock ?? (() => model?.at ?? 0)
    this.#axisMs = 0
    this.#ordered = ''
    this.#follows = true
    this.#lanes.show(model, this.#clock)
    for (const { element } of this.#drawn.values()) element.remove()
    this.#drawn.clear()
    this.element.classList.toggle('af-none', model === undefined || model.rows.length === 0)
    this.refresh()
  }

  refresh(): void {
    this.#frames.ask()
    this.#lanes.refresh()
  }

  /** The theme has changed. */
  recolour(): void {
    this.#lanes.recolour()
    this.refresh()
  }

  /** Whether lanes are shown: then nothing else is drawn. */
  #arrange(model: RunModel): boolean {
    const view = this.#picked ?? (model.rows.length > manySteps ? 'providers' : 'steps')
    const lanes = view === 'providers'
    if (this.#lanes.element.hidden === lanes) {
      this.#lanes.element.hidden = !lanes
      this.#list.hidden = lanes
      this.#lanes.refresh()
    }
    this.#switch.hidden = model.rows.length === 0
    for (const button of this.#switch.querySelectorAll('button'))
      button.setAttribute('aria-pressed', String(button.dataset['view'] === view))
    return lanes
  }

  #scrolled(): void {
    this.#seen.top = this.#list.scrollTop
    this.#seen.height = this.#list.clientHeight
    this.#frames.ask()
  }

  #scrollTo(top: number): void {
    this.#list.scrollTop = top
    this.#seen.top = Math.max(0, Math.min(top, this.#order.length * rowHeight + axisHeight - this.#seen.height))
  }

  select(step: number, reveal = true): void {
    this.#selected = step
    this.#lanes.select(step)
    const place = this.#order.indexOf(step)
    if (reveal && place >= 0) {
      const { top: seen, height } = this.#seen
      const top = place * rowHeight
      if (top < seen) this.#scrollTo(top)
      else if (top + rowHeight + axisHeight > seen + height) this.#scrollTo(top + rowHeight + axisHeight - height)
    }
    this.#frames.ask()
  }

  /** Steps in the order they started, then the rest as the plan has them: a row that has started stays where it is. */
  #sort(model: RunModel): void {
    const key = `${model.rows.length} ${model.counts.waiting + model.counts.ready} ${model.version === 0}`
    if (key === this.#ordered) return
    this.#ordered = key
    const start = (row: StepRow | undefined): number => row?.startedAt ?? row?.endedAt ?? Number.MAX_VALUE
    this.#order = model.rows.map((_, index) => index)
    this.#order.sort((a, b) => start(model.rows[a]) - start(model.rows[b]) || a - b)
    this.#sheet.style.height = `${this.#order.length * rowHeight}px`
    if (!this.#follows || model.outcome !== undefined) return
    const started = model.rows.reduce((sum, { startedAt }) => sum + (startedAt === undefined ? 0 : 1), 0)
    this.#scrollTo(Math.max(0, started * rowHeight + axisHeight - this.#seen.height))
  }

  #draw(): void {
    const model = this.#model
    if (model === undefined) return
    this.element.classList.toggle('af-none', model.rows.length === 0)
    this.#tellProviders(model)
    if (this.#arrange(model)) return
    this.#sort(model)
    const now = model.outcome === undefined ? Math.max(model.at, this.#clock()) : model.at
    this.#scale(now)
    const { top: scrollTop, height: clientHeight } = this.#seen
    const first = Math.max(0, Math.floor(scrollTop / rowHeight) - slack)
    const last = Math.min(this.#order.length, Math.ceil((scrollTop + clientHeight) / rowHeight) + slack)
    const wanted = new Set(this.#order.slice(first, last))
    for (const [index, { element }] of this.#drawn) {
      if (wanted.has(index)) continue
      element.remove()
      this.#drawn.delete(index)
    }
    for (let place = first; place < last; place += 1) this.#row(model, place, now)
    this.#active()
    this.#cursor.hidden = model.rows.length === 0 || model.at === 0 || model.outcome !== undefined
    this.#cursor.style.setProperty('--at', String(this.#axisMs === 0 ? 0 : now / this.#axisMs))
    if (model.counts.running > 0 && model.outcome === undefined) this.#frames.ask()
  }

  /** The axis grows by steps: bars must not crawl at every frame. */
  #scale(now: number): void {
    const wanted = this.#model?.outcome === undefined ? niceCeiling(now * 1.08) : Math.max(1, now * 1.02)
    if (now <= this.#axisMs && wanted === this.#axisMs) return
    this.#axisMs = wanted
    const step = tickOf(wanted)
    const ticks: HTMLElement[] = []
    for (let at = 0; at <= wanted * 0.93; at += step) {
      const tick = h('span', {}, formatDuration(at))
      tick.style.setProperty('--at', String(at / wanted))
      ticks.push(tick)
    }
    fill(this.#axis, ...ticks)
    this.#list.style.setProperty('--tick', String(step / wanted))
  }

  #row(model: RunModel, place: number, now: number): void {
    const index = this.#order[place]
    const row = index === undefined ? undefined : model.rows[index]
    if (row === undefined || index === undefined) return
    const chosen = index === this.#selected
    const parts = `${row.bars.map(({ end }) => end).join()} ${row.waits.length} ${row.leader} ${row.followers}`
    const key = `${place} ${row.changedVersion} ${parts} ${row.note} ${chosen} ${this.#axisMs}`
    const known = this.#drawn.get(index)
    if (known?.key === key) return this.#grow(known, now)
    const element = known?.element ?? h('div', { class: 'af-line', role: 'option', id: `${this.#id}-${index}` })
    element.dataset['step'] = String(index)
    element.style.setProperty('top', `${place * rowHeight}px`)
    element.setAttribute('aria-selected', String(chosen))
    element.setAttribute('aria-posinset', String(place + 1))
    element.setAttribute('aria-setsize', String(this.#order.length))
    element.setAttribute('aria-label', rowWords(row, now))
    element.title = rowWords(row, now)
    const open: Open[] = []
    fill(
      element,
      nameOf(row),
      // Or the two would be one word to anyone who reads them as text.
      ' ',
      this.#track(row, now, open),
    )
    if (known === undefined) this.#sheet.append(element)
    this.#drawn.set(index, { element, key, open })
  }

  /** What goes on grows; nothing is made again for it. */
  #grow({ open }: Drawn, now: number): void {
    for (const { part, from } of open) part.style.setProperty('--for', String(Math.max(0, now - from) / this.#axisMs))
  }

  #track(row: StepRow, now: number, open: Open[]): HTMLElement {
    const track = h('span', { class: 'af-track' })
    const until = row.endedAt ?? now
    const span = (name: string, from: number, end: number | undefined): HTMLElement => {
      const part = h('span', { class: name })
      const to = end ?? now
      part.style.setProperty('--from', String(from / this.#axisMs))
      part.style.setProperty('--for', String(Math.max(0, to - from) / this.#axisMs))
      track.append(part)
      if (end === undefined) open.push({ part, from })
      return part
    }
    if (row.readyAt !== undefined && (row.startedAt ?? until) > row.readyAt) {
      span('af-queue', row.readyAt, row.startedAt)
    }
    for (const wait of row.waits) span('af-wait', wait.from, wait.to)
    if (row.reused !== undefined) span('af-reused', until, until).textContent = reusedWords(row)
    for (const bar of row.bars) {
      const element = span(`af-bar af-${bar.purpose} af-end-${bar.end}`, bar.from, bar.to)
      this.#bar(element, bar)
      track.append(' ')
      // Who filled the prompt cache for whom: the first bar says it.
      if (element.textContent === '' && bar === row.bars[0]) element.textContent = cacheMark(row)
    }
    return track
  }

  #bar(element: HTMLElement, bar: Bar): void {
    element.style.setProperty('--provider', `var(${providerVariable(bar.provider)}, var(--af-provider-3))`)
    if (bar.purpose !== 'main') element.textContent = bar.purpose
    else if (bar.end === 'failed') element.textContent = '✕'
  }

  #active(): void {
    const drawn = this.#drawn.has(this.#selected)
    if (drawn) this.#list.setAttribute('aria-activedescendant', `${this.#id}-${this.#selected}`)
    else this.#list.removeAttribute('aria-activedescendant')
  }

  #tellProviders(model: RunModel): void {
    const names = model.providers
    if (this.#legend.dataset['names'] === [...names].join()) return
    this.#legend.dataset['names'] = [...names].join()
    const items = [...names].map((name) => {
      const dot = h('span', { class: 'af-dot' })
      dot.style.setProperty('--provider', `var(${providerVariable(name)}, var(--af-provider-3))`)
      return h('li', {}, dot, name)
    })
    fill(this.#legend, ...items)
  }

  #click(event: MouseEvent): void {
    const line = (event.target as Element).closest<HTMLElement>('.af-line')
    const step = Number(line?.dataset['step'] ?? -1)
    if (step < 0) return
    this.select(step, false)
    this.#options.onSelect(step, true)
  }

  #key(event: KeyboardEvent): void {
    const place = this.#order.indexOf(this.#selected)
    const page = Math.max(1, Math.floor(this.#seen.height / rowHeight) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: place + 1,
      ArrowUp: Math.max(0, place - 1),
      PageDown: place + page,
      PageUp: Math.max(0, place - page),
      Home: 0,
      End: this.#order.length - 1,
    }
    const to = moves[event.key]
    if (to !== undefined) {
      const step = this.#order[Math.min(this.#order.length - 1, to)]
      if (step === undefined) return
      this.select(step)
      this.#options.onSelect(step, false)
    } else if ((event.key === 'Enter' || event.key === ' ') && this.#selected >= 0) {
      this.#options.onSelect(this.#selected, true)
    } else {
      return
    }
    event.preventDefault()
  }
}

function nameOf(row: StepRow): HTMLElement {
  const [head, tail] = headAndTail(row.info.id)
  const tries = triesOf(row)
  return h(
    'span',
    { class: 'af-name' },
    stateIcon(markOf(row)),
    h(
      'span',
      { class: 'af-id' },
      h('span', {}, head),
      tail !== '' && h('span', { class: 'af-tail' }, h('span', {}, tail)),
    ),
    tries > 1 && ' ',
    tries > 1 && h('span', { class: 'af-tries' }, `${tries} tries`),
  )
}

const steps = [1, 2, 2.5, 5, 10]

/** The next of 1, 2, 2.5, 5 times a power of ten; at least a second. */
function niceCeiling(ms: number): number {
  const wanted = Math.max(1000, ms)
  const power = 10 ** Math.floor(Math.log10(wanted))
  return (steps.find((step) => step * power >= wanted) ?? 10) * power
}

/** Between 4 and 10 ticks. */
function tickOf(axisMs: number): number {
  return niceStep(axisMs / 6)
}
function niceStep(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, ms)))
  return (steps.find((step) => step * power >= ms) ?? 10) * power
}
