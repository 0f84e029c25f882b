/** The playground: the plan at the left, what becomes of it at the right. Everything that happens passes through here. */
import { plural } from '../standard/format.js'
import { Counters } from '../element/counters.js'
import { h } from '../element/dom.js'
import { GraphView } from '../element/graph-view.js'
import { RunModel } from '../element/run-model.js'
import { endWords } from '../element/run-words.js'
import { TimelineView } from '../element/timeline-view.js'
import { Announcer } from './announcer.js'
import { PlanEditor } from './editor/plan-editor.js'
import { PlanSchema, type Schema } from './editor/plan-schema.js'
import { contextFile, examples } from './examples.js'
import { KeysDialog, providerNames } from './keys-dialog.js'
import { LayoutClient } from './layout-client.js'
import { PlanCheck, problemOfError, type Verdict } from './plan-check.js'
import { Problems } from './problems.js'
import { ReportView } from './report-view.js'
import { RunSession } from './run-session.js'
import { Settings } from './settings.js'
import { sharedPlan, shareLink } from './share.js'
import { Shell } from './shell.js'
import { StepPanel } from './step-panel.js'
import { themeSwitch } from './theme-switch.js'
import { TravelBar } from './travel-bar.js'
import { Traveller } from './traveller.js'

export class Playground {
  readonly element: HTMLElement
  readonly shell: Shell
  readonly graph: GraphView
  readonly #editor: PlanEditor
  readonly #problems = new Problems((problem) => {
    this.shell.show('plan')
    this.#editor.goTo(problem)
  })
  readonly #settings: Settings
  readonly #counters = new Counters()
  readonly #timeline: TimelineView
  readonly #report = new ReportView()
  readonly #step: StepPanel
  readonly #travel: TravelBar
  readonly #traveller: Traveller
  readonly #announcer = new Announcer()
  readonly #keys = new KeysDialog(() => this.#idleStatus(true))
  readonly #check: PlanCheck
  #verdict: Verdict | undefined
  /** The plan as the core read it last: what the graph shows while nothing runs. */
  #planned: RunModel | undefined
  #session: RunSession | undefined
  #selected = -1
  #noticed = false
  /** Text of the example that was picked: once it is changed, it is the visitor's own. */
  #exampleText = ''

  constructor(schema: Schema) {
    const layouts = new LayoutClient()
    const onSelect = (step: number, open: boolean): void => this.#select(step, open)
    this.#editor = new PlanEditor(
      { schema: new PlanSchema(schema), providers: Object.keys(providerNames) },
      {
        onChange: (text) => this.#edited(text),
        onRun: () => this.#run(),
        onStep: (step) => {
          if (step !== undefined) this.#follow(step)
        },
      },
    )
    this.#settings = new Settings({
      onExample: (id) => void this.example(id),
      onChange: () => {
        this.#idleStatus(true)
        this.#ask(true)
      },
    })
    this.graph = new GraphView({ wheel: 'zoom', onSelect, layout: (request) => layouts.layout(request) })
    this.#timeline = new TimelineView({ onSelect })
    this.#traveller = new Traveller({
      files: (step) => this.#filesOf(step),
      onMoment: (model, moment) => {
        this.#markPath(moment === undefined)
        this.#present(model)
        if (moment !== undefined) this.#travel.tell(moment.state)
      },
      onFailure: (words) => this.#travel.failed(words),
    })
    this.#travel = new TravelBar({ onTravel: (record) => this.#traveller.go(this.#session, record) })
    this.#step = new StepPanel({
      onClose: () => this.#closeStep(),
      onStep: (step) => this.#select(step, true),
      onCancel: (step) => this.#session?.cancelStep(step),
      look: (step) => this.#traveller.look(this.#session, step),
    })
    this.#check = new PlanCheck({
      onVerdict: (verdict) => this.#judged(verdict),
      onEstimate: (makespanMs, cost) => this.#problems.estimate(makespanMs, cost),
    })
    this.shell = new Shell({
      settings: this.#settings.element,
      editor: this.#editor.element,
      problems: this.#problems.element,
      counters: this.#counters.element,
      graph: this.graph.element,
      timeline: this.#timeline.element,
      travel: this.#travel.element,
      step: this.#step.element,
      report: this.#report.element,
      live: this.#announcer.element,
      actions: this.#actions(),
      onRun: () => (this.#session?.over === false ? this.#stop() : this.#run()),
      onView: () => this.#refresh(),
    })
    this.element = h('div', { class: 'root' }, this.shell.element, this.#keys.element)
    this.#empty()
  }

  #actions(): HTMLElement[] {
    const button = (words: string, action: () => void, more = ''): HTMLElement => {
      const rest = more !== '' && h('span', { class: 'roomy' }, more)
      return h('button', { type: 'button', class: 'plain', onclick: action }, words, rest)
    }
    return [
      themeSwitch(() => {
        this.graph.recolour()
        this.#timeline.refresh()
      }),
      button('Keys', () => this.#keys.open(), ' and files'),
      button('Share', () => void this.#share()),
    ]
  }

  /** The plan of the address, else the first example. */
  async begin(fragment: string): Promise<void> {
    try {
      const shared = await sharedPlan(fragment)
      if (shared === undefined) return await this.example(examples[0]?.id ?? '')
      this.#editor.text = shared
      this.#notice('The plan of the link')
    } catch {
      await this.example(examples[0]?.id ?? '')
      this.#notice('The link is damaged: its plan cannot be read', 'bad')
    }
  }

  /** Outlasts the first check of the plan, which would say what a run would do. */
  #notice(words: string, tone: '' | 'bad' = ''): void {
    this.shell.status(words, tone)
    this.#noticed = true
  }

  async example(id: string): Promise<void> {
    const example = examples.find((known) => known.id === id)
    if (example === undefined) return
    try {
      const text = await example.load()
      this.#exampleText = text
      this.#editor.text = text
      this.#settings.example(id, example.mode ?? 'build')
      this.#ask(true)
    } catch (error) {
      this.shell.status(
        `The example cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
        'bad',
      )
    }
  }

  #edited(text: string): void {
    if (text !== this.#exampleText) this.#settings.example('')
    this.#ask(false)
  }

  #ask(now: boolean): void {
    const { text } = this.#editor
    if (text.trim() === '') {
      this.#verdict = undefined
      this.#planned = undefined
      this.#problems.empty('The plan is empty')
      this.#editor.problems([])
      return this.#session?.over === false ? undefined : this.#empty()
    }
    this.#problems.busy()
    this.#check.ask(text, this.#settings.choices.mode, now)
  }

  #empty(): void {
    this.#closeStep()
    this.#travel.offer(0)
    this.graph.empty('Pick an example or write a plan: its graph appears here.')
    this.#timeline.show(undefined)
    this.#counters.show(undefined)
    this.shell.runnable(false)
    this.shell.status('')
  }

  #judged(verdict: Verdict): void {
    this.#verdict = verdict
    this.#editor.problems(verdict.problems)
    const running = this.#session?.over === false
    if (!running) this.shell.runnable(verdict.plan !== undefined)
    if (verdict.plan === undefined) {
      const [problem] = verdict.problems
      if (problem !== undefined) this.#problems.broken(problem)
      // What was sound last stays in sight, but pale: while typing a plan is broken more often than not.
      this.graph.element.classList.toggle('stale', !running)
      return
    }
    const { steps } = verdict.plan
    const edges = steps.reduce((sum, { dependencies }) => sum + dependencies.length, 0)
    this.#problems.sound(steps.length, edges, verdict.problems)
    this.graph.element.classList.remove('stale')
    this.#planned = RunModel.ofPlan(steps)
    if (running) return
    // A run whose plan stands in the editor again is shown again.
    const session = this.#session?.plan === verdict.text ? this.#session : undefined
    if (session === undefined) {
      this.#travel.offer(0)
      this.#closeStep()
    }
    this.#present(session?.model ?? this.#planned)
    this.#idleStatus()
  }

  /** What a run would do. The end of the last one is told until the plan or, `anew`, the settings change. */
  #idleStatus(anew = false): void {
    if (this.#session?.over === false || this.#verdict?.plan === undefined) return
    const noticed = this.#noticed
    this.#noticed = false
    if (!anew && (noticed || this.#session?.plan === this.#verdict.text)) return
    const { simulate } = this.#settings.choices
    const { keyed } = this.#keys
    if (simulate !== undefined) this.shell.status('Simulated: no provider is called, nothing is paid')
    else if (keyed.length === 0) this.shell.status('Real providers need a key: see Keys and files', 'bad')
    else this.shell.status(`Real: ${keyed.map((id) => providerNames[id] ?? id).join(', ')} will be called and paid`)
  }

  #run(): void {
    const plan = this.#editor.text
    if (this.#session?.over === false || this.#verdict?.plan === undefined || this.#verdict.text !== plan) return
    const { mode, simulate, speed, cache } = this.#settings.choices
    if (simulate === undefined && this.#keys.keyed.length === 0) return this.#keys.open()
    const session = new RunSession(
      plan,
      {
        mode,
        simulate,
        speed,
        cache,
        keys: (provider) => this.#keys.key(provider),
        readFile: (path) => contextFile(path, this.#keys.files),
      },
      {
        onEvents: () => this.#refresh(),
        onText: () => this.#step.refresh(),
        onEnd: () => void this.#ended(session),
      },
    )
    this.#session = session
    this.#traveller.go(session, undefined)
    this.#travel.offer(0)
    this.#report.empty('The report appears when the run has ended.')
    this.#settings.lock(true)
    this.shell.running('running')
    this.shell.status(simulate === undefined ? 'Running' : `Running, simulated: ${simulate}`)
    if (this.shell.narrow && this.shell.view === 'plan') this.shell.show('graph')
    if (this.shell.view === 'report') this.shell.show('graph')
    this.#present(session.model)
    this.#announcer.began(`The run begins: ${plural(this.#verdict.plan.steps.length, 'step')}`)
  }

  #stop(): void {
    this.#session?.stop()
    this.shell.running('stopping')
  }

  async #ended(session: RunSession): Promise<void> {
    this.#settings.lock(false)
    this.shell.running('idle')
    const { result, model } = session
    if (result === undefined) {
      const problem = problemOfError(session.error)
      const words = `${problem.detail === '' ? problem.code : problem.detail}: ${problem.advice}`
      this.shell.status(words, 'bad')
      this.#announcer.say(words)
      this.#report.empty(`There is no report: ${words}`)
      return this.#refresh()
    }
    const words = endWords(model, result.simulated)
    this.shell.status(words, result.outcome === 'ok' ? 'good' : 'bad')
    this.#announcer.say(words)
    this.#report.show(session)
    this.#markPath(true)
    this.#refresh()
    this.#present(model)
    const records = await this.#traveller.open(session)
    if (session === this.#session) this.#travel.offer(records)
  }

  /** The critical path is known at the end alone: of earlier moments it would tell the future. */
  #markPath(atEnd: boolean): void {
    const session = this.#session
    const onPath = new Set(atEnd ? (session?.result?.report.criticalPath ?? []) : [])
    const rows = session?.model.rows ?? []
    this.graph.critical(rows.filter(({ info }) => onPath.has(info.id)).map(({ index }) => index))
  }

  /** Draws a run, or a plan that is still to run. */
  #present(model: RunModel): void {
    const { session } = this.#shown(model)
    const clock = session?.over === false ? () => session.now : () => model.at
    this.graph.show(model, clock)
    this.#timeline.show(model, clock)
    this.#counters.show(model, clock)
    if (this.#selected >= model.rows.length) this.#closeStep()
    if (this.#selected >= 0) this.#showStep(model)
  }

  /** Which session a model belongs to, and whether it is as the run stands now. */
  #shown(model: RunModel): { readonly session: RunSession | undefined } {
    return { session: this.#session?.model === model ? this.#session : undefined }
  }

  get #model(): RunModel | undefined {
    const session = this.#session
    const shows = session !== undefined && (!session.over || session.plan === this.#verdict?.text)
    return (shows ? (this.#traveller.model ?? session.model) : undefined) ?? this.#planned
  }

  #refresh(): void {
    const session = this.#session
    this.graph.refresh()
    this.#timeline.refresh()
    this.#counters.refresh()
    this.#step.refresh()
    if (session !== undefined && !session.over) this.#announcer.progress(session.model)
  }

  #select(step: number, open: boolean): void {
    this.#selected = step
    this.graph.select(step)
    this.#timeline.select(step)
    const model = this.#model
    if (model === undefined) return
    const shown = this.shell.element.querySelector('#pane-step')?.hasAttribute('hidden') === false
    if (!open && !shown) return
    this.#showStep(model)
    this.shell.step(true)
    if (open) this.shell.show(this.shell.narrow ? 'step' : 'graph')
    if (open) this.#step.focus()
  }

  /** The cursor of the editor is in a step. */
  #follow(step: number): void {
    if (this.#model?.rows[step] === undefined || this.#verdict?.text !== this.#editor.text) return
    this.#select(step, false)
  }

  #showStep(model: RunModel): void {
    const { session } = this.#shown(model)
    const row = model.rows[this.#selected]
    if (row === undefined) return
    this.#step.show({
      model,
      step: this.#selected,
      clock: () => session?.now ?? model.at,
      answer: session === undefined ? undefined : () => session.answer(row.info.id),
      running: session?.over === false,
    })
  }

  #closeStep(): void {
    const within = this.#step.element.contains(document.activeElement)
    this.shell.step(false)
    if (within) this.graph.focus()
    this.#selected = -1
    this.graph.select(-1)
    this.#timeline.select(-1)
  }

  async #filesOf(step: number): Promise<(readonly [string, string])[]> {
    const paths = this.#model?.rows[step]?.info.files ?? []
    const read = async (path: string) => [path, await contextFile(path, this.#keys.files).catch(() => '')] as const
    return Promise.all(paths.map(read))
  }

  async #share(): Promise<void> {
    const { words, shared } = await shareLink(this.#editor.text)
    this.shell.status(words, shared ? 'good' : 'bad')
    this.#announcer.say(words)
  }
}
