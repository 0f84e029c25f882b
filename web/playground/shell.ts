/**
 * The frame of the page: header, panes, tabs. On a wide screen the plan stands left of the run, and a step opens at the right;
 * on a narrow one a tab shows one pane at a time.
 */
import { h, icon, icons } from '../element/dom.js'

export type ViewName = 'plan' | 'graph' | 'timeline' | 'step' | 'report'

const narrow = '(max-width: 820px)'
const tabs: readonly { readonly name: ViewName; readonly words: string; readonly pane: string }[] = [
  { name: 'plan', words: 'Plan', pane: 'pane-plan' },
  { name: 'graph', words: 'Graph', pane: 'pane-live' },
  { name: 'timeline', words: 'Timeline', pane: 'pane-live' },
  { name: 'step', words: 'Step', pane: 'pane-step' },
  { name: 'report', words: 'Report', pane: 'pane-report' },
]

export interface ShellParts {
  readonly settings: HTMLElement
  readonly editor: HTMLElement
  readonly problems: HTMLElement
  readonly counters: HTMLElement
  readonly graph: HTMLElement
  readonly timeline: HTMLElement
  readonly travel: HTMLElement
  readonly step: HTMLElement
  readonly report: HTMLElement
  readonly live: HTMLElement
  /** Buttons of the header, behind Run. */
  readonly actions: readonly HTMLElement[]
  readonly onRun: () => void
  /** Ctrl or ⌘ and Enter, or S, wherever the focus is. */
  readonly onKey: () => void
  readonly onSave: () => void
  readonly onView: (view: ViewName) => void
}

export class Shell {
  readonly element: HTMLElement
  readonly #main: HTMLElement
  readonly #tabs = new Map<ViewName, HTMLButtonElement>()
  readonly #panes: Readonly<Record<string, HTMLElement>>
  readonly #media = matchMedia(narrow)
  readonly #run: HTMLButtonElement
  readonly #status = h('p', { class: 'status' })
  readonly #onView: (view: ViewName) => void
  #view: ViewName = 'graph'
  #stepOpen = false

  constructor(parts: ShellParts) {
    this.#onView = parts.onView
    this.#run = h('button', { type: 'button', class: 'run', onclick: parts.onRun })
    this.#panes = {
      'pane-plan': pane('pane-plan', 'Plan', parts.settings, parts.editor, parts.problems),
      'pane-live': pane(
        'pane-live',
        'Run',
        parts.counters,
        h('div', { class: 'live' }, parts.graph, parts.timeline),
        parts.travel,
      ),
      'pane-report': pane('pane-report', 'Report', parts.report),
      'pane-step': pane('pane-step', 'Step', parts.step),
    }
    this.#main = h('main', { class: 'work' }, this.#panes['pane-plan'], this.#tabList(), ...this.#rest())
    this.element = h(
      'div',
      { class: 'page' },
      h(
        'header',
        { class: 'top' },
        h('h1', {}, 'AetherFlow', h('span', {}, ' playground')),
        this.#status,
        h('div', { class: 'actions' }, ...parts.actions, this.#run),
      ),
      this.#main,
      parts.live,
    )
    this.#media.addEventListener('change', () => this.#arrange())
    addEventListener('keydown', (event) => this.#key(event, parts))
    this.running('idle')
    this.#view = this.narrow ? 'plan' : 'graph'
    this.#arrange()
  }

  /** What the editor has done already is not done twice; a dialog has its own keys. */
  #key(event: KeyboardEvent, { onKey, onSave }: ShellParts): void {
    if (event.defaultPrevented || event.repeat || !(event.ctrlKey || event.metaKey) || event.altKey) return
    const action = event.key === 'Enter' ? onKey : event.key.toLowerCase() === 's' ? onSave : undefined
    if (action === undefined || document.querySelector('dialog[open]') !== null) return
    event.preventDefault()
    action()
  }

  #rest(): HTMLElement[] {
    return ['pane-live', 'pane-report', 'pane-step'].map((id) => this.#panes[id]!)
  }

  get narrow(): boolean {
    return this.#media.matches
  }
  get view(): ViewName {
    return this.#view
  }

  show(view: ViewName): void {
    this.#view = view
    this.#arrange()
  }

  /** The step pane stands beside the run; on a narrow screen it is a tab. */
  step(open: boolean): void {
    this.#stepOpen = open
    if (!open && this.#view === 'step') this.#view = 'graph'
    this.#arrange()
  }

  status(words: string, tone: '' | 'good' | 'bad' = ''): void {
    this.#status.textContent = words
    this.#status.title = words
    this.#status.dataset['tone'] = tone
  }

  running(state: 'idle' | 'running' | 'stopping'): void {
    const words = { idle: 'Run', running: 'Stop', stopping: 'Stopping…' }[state]
    this.#run.replaceChildren(icon(state === 'idle' ? icons.run : icons.stop), words)
    this.#run.classList.toggle('stop', state !== 'idle')
    this.#run.disabled = state === 'stopping'
    this.#run.title = state === 'idle' ? 'Run the plan (Ctrl or ⌘ and Enter)' : 'Cancel the run; what is done is kept'
  }

  runnable(can: boolean): void {
    this.#run.disabled = !can
  }

  #tabList(): HTMLElement {
    const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Views' })
    for (const { name, words, pane: controls } of tabs) {
      const tab = h('button', { type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': controls }, words)
      tab.addEventListener('click', () => {
        this.show(name)
        this.#onView(name)
      })
      this.#tabs.set(name, tab)
      list.append(tab)
    }
    list.addEventListener('keydown', (event) => this.#tabKey(event))
    return list
  }

  #shown(): ViewName[] {
    return tabs
      .map(({ name }) => name)
      .filter((name) => (this.narrow ? name !== 'step' || this.#stepOpen : name === 'graph' || name === 'report'))
  }

  #tabKey(event: KeyboardEvent): void {
    const shown = this.#shown()
    const at = shown.indexOf(this.#current())
    const moves: Readonly<Record<string, number>> = {
      ArrowRight: (at + 1) % shown.length,
      ArrowLeft: (at + shown.length - 1) % shown.length,
      Home: 0,
      End: shown.length - 1,
    }
    const to = moves[event.key]
    const name = to === undefined ? undefined : shown[to]
    if (name === undefined) return
    event.preventDefault()
    this.show(name)
    this.#onView(name)
    this.#tabs.get(name)?.focus()
  }

  /** Which tab is selected: on a wide screen graph and timeline are one. */
  #current(): ViewName {
    if (this.narrow) return this.#view
    return this.#view === 'report' ? 'report' : 'graph'
  }

  #arrange(): void {
    const current = this.#current()
    const shown = new Set(this.#shown())
    for (const [name, tab] of this.#tabs) {
      tab.hidden = !shown.has(name)
      tab.setAttribute('aria-selected', String(name === current))
      tab.tabIndex = name === current ? 0 : -1
    }
    const graph = this.#tabs.get('graph')
    if (graph !== undefined) graph.textContent = this.narrow ? 'Graph' : 'Run'
    this.#main.dataset['view'] = current
    this.#main.dataset['step'] = String(this.#stepOpen)
    const visible: Readonly<Record<string, boolean>> = {
      'pane-plan': !this.narrow || current === 'plan',
      'pane-live': current === 'graph' || current === 'timeline',
      'pane-report': current === 'report',
      'pane-step': this.#stepOpen && (!this.narrow || current === 'step'),
    }
    for (const [id, element] of Object.entries(this.#panes)) element.hidden = visible[id] !== true
    const role = (id: string, tab: ViewName): void => {
      this.#panes[id]?.setAttribute('aria-labelledby', `tab-${tab}`)
    }
    role('pane-live', current === 'timeline' ? 'timeline' : 'graph')
    role('pane-report', 'report')
  }
}

function pane(id: string, label: string, ...children: HTMLElement[]): HTMLElement {
  const isTab = id === 'pane-live' || id === 'pane-report'
  const role = isTab ? 'tabpanel' : 'region'
  return h('section', { class: 'pane', id, role, ...(isTab ? {} : { 'aria-label': label }) }, ...children)
}
