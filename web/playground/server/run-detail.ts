/** One run of the server: as it was and as it goes on, the prompts and the output of a step that is chosen, and its report at the end. */
import type { RunEvent } from '../../../bindings/events.js'
import { Counters } from '../../element/counters.js'
import { fill, h } from '../../element/dom.js'
import { GraphView } from '../../element/graph-view.js'
import { RunModel } from '../../element/run-model.js'
import { TimelineView } from '../../element/timeline-view.js'
import { PromptView } from '../prompt-view.js'
import { ReportView } from '../report-view.js'
import { TravelClient } from '../travel-client.js'
import { cancelRun, journalOf, outputAddress, outputOf, reportOf, watchRun, type ServerRun } from './api.js'

/** Of all runs that are shown: it reads another journal when it is handed one. */
const travel = new TravelClient()

type Attempt = (work: () => Promise<void>) => void

export class RunDetail {
  readonly element: HTMLElement
  readonly #run: ServerRun
  readonly #attempt: Attempt
  readonly #model = new RunModel()
  readonly #messages = new Map<string, string>()
  readonly #warnings: (RunEvent & { type: 'warning' })[] = []
  readonly #graph: GraphView
  readonly #timeline: TimelineView
  readonly #counters = new Counters()
  readonly #outputs = h('ul', { 'aria-label': 'Outputs' })
  readonly #state: HTMLElement
  readonly #cancel: HTMLButtonElement
  readonly #prompt = new PromptView()
  readonly #step = h('section', { 'aria-label': 'Step', class: 'step' })
  readonly #report = new ReportView()
  /** The journal as it was fetched last, of so many events. */
  #journal: { readonly journal: string; readonly events: number } | undefined
  #events = 0
  #chosen = -1
  /** The result ends the watching. */
  readonly stop: () => void

  /** `over`: told once, when the run comes to its end while it is watched. */
  constructor(run: ServerRun, attempt: Attempt, over: () => Promise<void>) {
    this.#run = run
    this.#attempt = attempt
    const onSelect = (step: number): void => this.#choose(step)
    this.#graph = new GraphView({ wheel: 'ctrl', onSelect })
    this.#timeline = new TimelineView({ onSelect })
    this.#graph.element.classList.add('graph')
    for (const view of this.#views) view.show(this.#model, () => this.#model.at)
    this.#state = h('p', { role: 'status', class: 'state' }, run.status)
    const cancel = (): void => attempt(() => cancelRun(run.id))
    this.#cancel = h('button', { type: 'button', onclick: cancel }, 'Cancel')
    this.#cancel.hidden = run.ended_at !== null
    this.#report.empty('The report is here when the run is over.')
    this.element = this.#layout()
    this.stop = watchRun(
      run.id,
      (event) => this.#take(event),
      () => {
        this.#over()
        if (run.ended_at === null) attempt(over)
      },
    )
  }

  get #views(): readonly [GraphView, TimelineView, Counters] {
    return [this.#graph, this.#timeline, this.#counters]
  }

  #layout(): HTMLElement {
    const { name, id, simulated } = this.#run
    fill(this.#step, h('p', { class: 'hint' }, 'Choose a step to see its prompts and its output.'))
    return h(
      'div',
      {},
      h('h2', {}, name ?? id),
      simulated === null ? undefined : h('p', { class: 'hint' }, `Simulated: ${simulated}`),
      this.#state,
      this.#cancel,
      ...this.#views.map(({ element }) => element),
      this.#outputs,
      this.#step,
      h('section', { 'aria-label': 'Report' }, this.#report.element),
    )
  }

  #take(event: RunEvent): void {
    const first = event.type === 'steps'
    this.#events += 1
    this.#model.apply(event)
    if (first) this.#graph.show(this.#model, () => this.#model.at)
    for (const view of this.#views) view.refresh()
    if (event.type === 'done') this.#outputs.append(this.#link(event.step))
    if (event.type === 'failed') this.#messages.set(event.step, event.message)
    if (event.type === 'warning') this.#warnings.push(event)
    if (event.type === 'finish') this.#state.textContent = event.outcome
  }

  #link(step: string): Node {
    const address = outputAddress(this.#run.id, step)
    return h('li', {}, h('a', { href: address, target: '_blank', rel: 'noopener' }, `Output of ${step}`))
  }

  #choose(step: number): void {
    this.#graph.select(step)
    this.#timeline.select(step)
    this.#chosen = step
    const id = this.#model.rows[step]?.info.id
    if (id === undefined) return
    const output = h('pre', { tabindex: 0, 'aria-label': `Output of ${id}` })
    this.#prompt.clear()
    fill(this.#step, h('h3', {}, id), this.#prompt.element, h('h3', {}, 'Output'), output)
    this.#attempt(async () => {
      const there = this.#model.rows[step]?.state === 'done'
      const [text] = await Promise.all([there ? outputOf(this.#run.id, id) : '', this.#showPrompts(step)])
      output.textContent = text === '' ? 'There is no output, or not yet.' : text
    })
  }

  /** Assembled again from the journal: nothing of a prompt is kept but what it is made of. */
  async #showPrompts(step: number): Promise<void> {
    try {
      const known = this.#journal
      const fresh =
        known?.events === this.#events ? known : { journal: await journalOf(this.#run.id), events: this.#events }
      this.#journal = fresh
      const records = await travel.open(fresh)
      const { prompts } = await travel.step(step, records, [])
      if (step === this.#chosen) this.#prompt.show(prompts)
    } catch (error) {
      if (step === this.#chosen) this.#prompt.failed(error instanceof Error ? error.message : String(error))
    }
  }

  #over(): void {
    this.#cancel.hidden = true
    this.#attempt(async () => {
      const { id, created_at: begun, simulated, status } = this.#run
      const report = await reportOf(id)
      const outcome = this.#state.textContent ?? status
      this.#report.show({
        model: this.#model,
        messages: this.#messages,
        startedAt: new Date(begun * 1000),
        result: {
          report,
          outcome: outcome as 'ok',
          warnings: this.#warnings,
          simulated: simulated ?? undefined,
          outputs: new Map(),
        },
      })
    })
  }
}
