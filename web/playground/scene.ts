/**
 * What the page shows of a run, all of it of one thing at one moment: a run as it goes or as it ended, a run as it was at a record, or
 * a plan that is still to run. Graph, timeline, counters, step and report never tell of two.
 */
import { formatDuration } from '../standard/format.js'
import { Counters } from '../element/counters.js'
import { GraphView } from '../element/graph-view.js'
import type { RunModel } from '../element/run-model.js'
import { TimelineView } from '../element/timeline-view.js'
import { LayoutClient } from './layout-client.js'
import { ReportView } from './report-view.js'
import type { RunSession } from './run-session.js'
import { StepPanel } from './step-panel.js'
import { TravelBar } from './travel-bar.js'
import { Traveller } from './traveller.js'

export interface SceneOptions {
  /** Contents of context files. */
  readonly files: (paths: readonly string[]) => Promise<(readonly [string, string])[]>
  /** The pane of the step opens or closes; `front`: it is to be seen. */
  readonly onPane: (open: boolean, front: boolean) => void
  /** The moment that is shown has changed. */
  readonly onMoment: () => void
}

export class Scene {
  readonly graph: GraphView
  readonly timeline: TimelineView
  readonly counters = new Counters()
  readonly report = new ReportView()
  readonly step: StepPanel
  readonly travel: TravelBar
  readonly #options: SceneOptions
  readonly #traveller: Traveller
  #session: RunSession | undefined
  #model: RunModel | undefined
  #selected = -1
  #stepOpen = false
  /** What is told of the moment of the past that is shown; undefined: none is. */
  moment: string | undefined

  constructor(options: SceneOptions) {
    this.#options = options
    const layouts = new LayoutClient()
    const onSelect = (step: number, open: boolean): void => this.select(step, open)
    this.graph = new GraphView({ wheel: 'zoom', onSelect, layout: (request) => layouts.layout(request) })
    this.timeline = new TimelineView({ onSelect })
    this.#traveller = new Traveller({
      files: (step) => options.files(this.#model?.rows[step]?.info.files ?? []),
      onMoment: (model, state) => {
        this.moment = state && `${formatDuration(state.at)} into the run, record ${state.record}`
        if (state !== undefined) this.travel.tell(state)
        this.#present(model)
        options.onMoment()
      },
      onFailure: (words) => this.travel.failed(words),
    })
    this.travel = new TravelBar({
      onTravel: (record) => this.#session && this.#traveller.go(this.#session, record),
    })
    this.step = new StepPanel({
      onClose: () => this.closeStep(),
      onStep: (step) => this.select(step, true),
      onCancel: (step) => this.#session?.cancelStep(step),
      look: (step) => this.#traveller.look(this.#session, step),
    })
  }

  /** Rows of what is shown. */
  get rows(): RunModel['rows'] {
    return this.#model?.rows ?? []
  }

  /** Nothing is there to be shown: `words` says what to do, `action` does it. */
  empty(words: string, action?: { readonly words: string; readonly act: () => void }): void {
    this.#leave()
    this.closeStep()
    this.#model = undefined
    this.graph.empty(words, action)
    this.timeline.show(undefined)
    this.counters.show(undefined)
    this.report.empty('Run a plan, and its report appears here.')
    this.stale(false)
  }

  /** A plan that is still to run. */
  plan(planned: RunModel): void {
    this.#leave()
    this.closeStep()
    this.report.empty('Run the plan, and its report appears here.')
    this.#present(planned)
  }

  /** A run: in progress, or as it ended. */
  run(session: RunSession): void {
    if (session !== this.#session) {
      this.#leave()
      this.#session = session
    }
    if (!session.over) this.report.empty('The report appears when the run has ended.')
    else void this.#ended(session)
    if (this.moment === undefined) this.#present(session.model)
  }

  async #ended(session: RunSession): Promise<void> {
    if (session.result === undefined) return this.report.empty(`There is no report: ${session.refusal}`)
    this.report.show(session)
    const records = await this.#traveller.open(session)
    if (session === this.#session && this.travel.records !== records) this.travel.offer(records)
  }

  /** What is shown is of an earlier text: the one in the editor is no plan. */
  stale(stale: boolean): void {
    for (const { element } of [this.graph, this.timeline, this.counters]) element.classList.toggle('stale', stale)
  }

  refresh(): void {
    this.graph.refresh()
    this.timeline.refresh()
    this.counters.refresh()
    this.step.refresh()
  }

  recolour(): void {
    this.graph.recolour()
    this.timeline.recolour()
  }

  select(step: number, open: boolean): void {
    this.#selected = step
    this.graph.select(step)
    this.timeline.select(step)
    if (this.rows[step] === undefined || (!open && !this.#stepOpen)) return
    this.#showStep()
    this.#stepOpen = true
    this.#options.onPane(true, open)
    if (open) this.step.focus()
  }

  closeStep(): void {
    const within = this.step.element.contains(document.activeElement)
    this.#stepOpen = false
    this.#options.onPane(false, false)
    if (within) this.graph.focus()
    this.#selected = -1
    this.graph.select(-1)
    this.timeline.select(-1)
  }

  /** The run that was shown, and all that is known of it, is of another plan. */
  #leave(): void {
    this.#traveller.leave()
    this.#session = undefined
    this.moment = undefined
    this.travel.offer(0)
    this.graph.critical([])
  }

  #present(model: RunModel): void {
    this.#model = model
    const session = this.#session
    const clock = session?.model === model && !session.over ? () => session.now : () => model.at
    this.#markPath(model)
    this.graph.show(model, clock)
    this.timeline.show(model, clock)
    this.counters.show(model, clock)
    if (this.#selected >= model.rows.length) this.closeStep()
    if (this.#stepOpen) this.#showStep()
  }

  /** The critical path is known at the end alone: of earlier moments it would tell the future. */
  #markPath(model: RunModel): void {
    const ended = this.#session?.model === model ? this.#session.result : undefined
    const onPath = new Set(ended?.report.criticalPath ?? [])
    this.graph.critical(model.rows.filter(({ info }) => onPath.has(info.id)).map(({ index }) => index))
  }

  #showStep(): void {
    const [model, session] = [this.#model, this.#session]
    const row = model?.rows[this.#selected]
    if (model === undefined || row === undefined) return
    const now = session?.model === model ? session : undefined
    this.step.show({
      model,
      step: this.#selected,
      clock: () => now?.now ?? model.at,
      answer: now === undefined ? undefined : () => now.answer(row.info.id),
      running: now?.over === false,
    })
  }
}
