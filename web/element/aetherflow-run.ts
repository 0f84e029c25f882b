/**
 * `<aetherflow-run>`: shows a plan and runs it, inside any page or web IDE.
 *
 *   <aetherflow-run controls simulate="default"></aetherflow-run>
 *   element.plan = { steps: [ … ] }
 *   element.addEventListener('aetherflow-result', ({ detail }) => detail.outputs)
 *   const result = await element.run()
 *
 * It styles nothing outside of itself, keeps nothing, and takes no key but by `options.keys`.
 */
import {
  AetherflowError,
  checkPlan,
  runPlan,
  type PageRunResult,
  type RunEvent,
  type RunPlanOptions,
} from '../browser/index.js'
import { plural } from '../standard/format.js'
import { Counters } from './counters.js'
import { fill, h, icon, icons } from './dom.js'
import { elementCss } from './element-style.js'
import { GraphView } from './graph-view.js'
import { RunModel } from './run-model.js'
import { endWords } from './run-words.js'
import { styleSheet, themeCss } from './theme.js'
import { TimelineView } from './timeline-view.js'
import { viewCss } from './view-style.js'

/** JSON text, or what it says. */
export type PlanValue = string | Readonly<Record<string, unknown>>

/** What it tells. The events bubble and leave the shadow root. */
export interface AetherflowRunEvents {
  /** Every event of a run. */
  'aetherflow-event': CustomEvent<RunEvent>
  /** Answer text of a step as it streams. */
  'aetherflow-text': CustomEvent<{ readonly step: string; readonly piece: string }>
  'aetherflow-result': CustomEvent<PageRunResult>
  /** The plan or the run was refused: an AetherflowError. */
  'aetherflow-error': CustomEvent<unknown>
  /** A step was chosen, by its id. */
  'aetherflow-select': CustomEvent<{ readonly step: string }>
}

let sheets: CSSStyleSheet[] | undefined

/** On a server, where pages are rendered to text, there are no elements: the module is loaded there all the same, and makes none. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement)

export class AetherflowRun extends Base {
  /** `plan`: JSON text. `mode`, `simulate` (a profile), `speed` of the simulation, `controls`: a button to run and stop. */
  static readonly observedAttributes = ['plan', 'mode', 'simulate', 'speed', 'controls']

  /** Further options of its runs, over the attributes. */
  options: RunPlanOptions = {}

  readonly #graph: GraphView
  readonly #timeline: TimelineView
  readonly #counters = new Counters()
  readonly #button = h('button', { type: 'button', part: 'button', class: 'button' })
  readonly #status = h('p', { part: 'status', class: 'status', role: 'status' })
  #plan: PlanValue | undefined
  #model: RunModel | undefined
  #run: ReturnType<typeof runPlan> | undefined
  #origin = Number.POSITIVE_INFINITY
  #check = 0

  constructor() {
    super()
    const root = this.attachShadow({ mode: 'open' })
    sheets ??= [themeCss(':host'), viewCss, elementCss].map(styleSheet)
    root.adoptedStyleSheets = sheets
    const onSelect = (step: number, open: boolean): void => this.#select(step, open)
    // The page around it scrolls: the wheel zooms only with Ctrl or ⌘.
    this.#graph = new GraphView({ wheel: 'ctrl', onSelect })
    this.#timeline = new TimelineView({ onSelect })
    this.#button.addEventListener('click', () => (this.running ? this.stop() : void this.run().catch(() => undefined)))
    root.append(
      h('div', { class: 'head' }, this.#status, this.#button),
      this.#counters.element,
      this.#graph.element,
      this.#timeline.element,
    )
    this.#drawButton()
    this.#graph.empty('There is no plan yet.')
  }

  /** What is run. Setting it shows its graph; a running run keeps the plan that it began with. */
  get plan(): PlanValue | undefined {
    return this.#plan
  }
  set plan(plan: PlanValue | undefined) {
    this.#plan = plan
    if (!this.running) void this.#show()
  }

  get running(): boolean {
    return this.#run !== undefined
  }

  /** Runs the plan. Rejects as `runPlan` does; with host.usage while a run is in progress or there is no plan. */
  async run(): Promise<PageRunResult> {
    if (this.running) throw new AetherflowError('host.usage', '', 'a run is in progress')
    if (this.#plan === undefined) throw new AetherflowError('host.usage', '', 'there is no plan to run')
    const model = new RunModel()
    model.reuses = this.options.cache !== undefined
    this.#origin = Number.POSITIVE_INFINITY
    const run = runPlan(this.#plan, this.#runOptions(model))
    this.#run = run
    this.#check += 1
    this.#present(model)
    this.#tell('Running')
    this.#drawButton()
    try {
      const result = await run
      this.#tell(endWords(model, result.simulated), result.outcome !== 'ok')
      this.#dispatch('aetherflow-result', result)
      return result
    } catch (error) {
      this.#refuse(error)
      throw error
    } finally {
      this.#run = undefined
      this.#drawButton()
      this.#refresh()
    }
  }

  /** Cancels the run; what is done is kept, and the result says so. */
  stop(): void {
    this.#run?.cancel()
  }

  /** Cancels one step. */
  cancelStep(step: string): void {
    this.#run?.cancel(step)
  }

  attributeChangedCallback(name: string, _before: string | null, value: string | null): void {
    if (name === 'plan') this.plan = value ?? undefined
    if (name === 'controls') this.#drawButton()
  }

  connectedCallback(): void {
    this.#graph.recolour()
  }

  /** An element that is taken out of the page leaves nothing running. */
  disconnectedCallback(): void {
    // Moving it within the page takes it out and puts it back at once.
    queueMicrotask(() => {
      if (!this.isConnected) this.stop()
    })
  }

  #runOptions(model: RunModel): RunPlanOptions {
    const attribute = (name: string): string | undefined => this.getAttribute(name) ?? undefined
    const [mode, simulate, speed] = [attribute('mode'), attribute('simulate'), attribute('speed')]
    return {
      ...(mode === undefined ? {} : { mode }),
      ...(simulate === undefined ? {} : { simulate: simulate === '' ? true : simulate }),
      ...(speed === undefined ? {} : { simulateSpeed: Number(speed) }),
      ...this.options,
      onEvent: (event) => {
        this.#origin = Math.min(this.#origin, performance.now() - event.at)
        model.apply(event)
        this.#refresh()
        this.options.onEvent?.(event)
        this.#dispatch('aetherflow-event', event)
      },
      onText: (step, piece) => {
        this.options.onText?.(step, piece)
        this.#dispatch('aetherflow-text', { step, piece })
      },
    }
  }

  /** Reads the plan and shows it; of several set in a row only the last. */
  async #show(): Promise<void> {
    const check = ++this.#check
    const plan = this.#plan
    if (plan === undefined) {
      this.#tell('')
      return this.#graph.empty('There is no plan yet.')
    }
    try {
      const { steps } = await checkPlan(plan)
      if (check !== this.#check) return
      this.#present(RunModel.ofPlan(steps))
      this.#tell(plural(steps.length, 'step'))
    } catch (error) {
      if (check === this.#check) this.#refuse(error)
    }
  }

  #present(model: RunModel): void {
    this.#model = model
    const clock = (): number =>
      this.running && Number.isFinite(this.#origin) ? Math.max(model.at, performance.now() - this.#origin) : model.at
    this.#graph.show(model, clock)
    this.#timeline.show(model, clock)
    this.#counters.show(model, clock)
  }

  #refresh(): void {
    this.#graph.refresh()
    this.#timeline.refresh()
    this.#counters.refresh()
  }

  #refuse(error: unknown): void {
    this.#tell(error instanceof Error ? error.message : String(error), true)
    this.#dispatch('aetherflow-error', error)
  }

  #tell(words: string, bad = false): void {
    this.#status.textContent = words
    this.#status.classList.toggle('bad', bad)
  }

  #drawButton(): void {
    this.#button.hidden = !this.hasAttribute('controls')
    fill(this.#button, icon(this.running ? icons.stop : icons.run), this.running ? 'Stop' : 'Run')
  }

  #select(step: number, open: boolean): void {
    this.#graph.select(step)
    this.#timeline.select(step)
    const row = this.#model?.rows[step]
    if (open && row !== undefined) this.#dispatch('aetherflow-select', { step: row.info.id })
  }

  #dispatch<K extends keyof AetherflowRunEvents>(name: K, detail: AetherflowRunEvents[K]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }))
  }
}
