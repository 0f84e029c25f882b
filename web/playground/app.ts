/** The playground: the plan at the left, what becomes of it at the right. Everything that happens passes through here. */
import { plural } from '../standard/format.js'
import { h } from '../element/dom.js'
import { RunModel } from '../element/run-model.js'
import { endWords } from '../element/run-words.js'
import { Announcer } from './announcer.js'
import { keepDraft, keptDraft } from './draft.js'
import { visitorDocuments } from './documents.js'
import { PlanEditor } from './editor/plan-editor.js'
import { PlanSchema, type Schema } from './editor/plan-schema.js'
import { contextFile, examples } from './examples.js'
import { KeysDialog, providerNames } from './keys-dialog.js'
import { PlanCheck, type Verdict } from './plan-check.js'
import { pickFile, planFileName, planOfFile, saveFile, skeleton } from './plan-files.js'
import { Problems } from './problems.js'
import { RunSession } from './run-session.js'
import { Scene } from './scene.js'
import { Settings } from './settings.js'
import { sharedPlan, shareLink } from './share.js'
import { Shell } from './shell.js'
import { themeSwitch } from './theme-switch.js'

type Tone = '' | 'good' | 'bad'

export class Playground {
  readonly element: HTMLElement
  readonly shell: Shell
  readonly scene: Scene
  readonly #editor: PlanEditor
  readonly #problems = new Problems((problem) => {
    this.shell.show('plan')
    this.#editor.goTo(problem)
  })
  readonly #settings: Settings
  readonly #announcer = new Announcer()
  readonly #keys = new KeysDialog(() => this.#reconsider())
  readonly #check: PlanCheck
  #verdict: Verdict | undefined
  /** The plan that is to run as soon as it is judged: Run was pressed sooner. */
  #wanted: string | undefined
  /** The plan as the core read it last: what is shown while nothing runs. */
  #planned: RunModel | undefined
  #session: RunSession | undefined
  /** The end of the last run is told until the settings change. */
  #endTold = false
  /** Said once, and told until something is changed. */
  #notice: { readonly words: string; readonly tone: Tone } | undefined
  /** The example that was picked: once its text is changed, the plan is the visitor's own. */
  #example = { id: '', text: '' }

  constructor(schema: Schema) {
    this.#editor = new PlanEditor(
      { schema: new PlanSchema(schema), providers: Object.keys(providerNames) },
      { onChange: (text) => this.#edited(text), onRun: () => this.#run(), onStep: (step) => this.#follow(step) },
    )
    this.#settings = new Settings({
      onExample: (id) => void this.example(id),
      onChange: () => this.#reconsider(),
      onNew: () => this.#write(skeleton),
      onOpen: () => void this.#openFile(),
      onSave: () => this.#save(),
    })
    this.scene = new Scene({
      files: (paths) => this.#filesOf(paths),
      onPane: (open, front) => {
        this.shell.step(open)
        if (front) this.shell.show(this.shell.narrow ? 'step' : 'graph')
      },
      onMoment: () => this.#tell(),
    })
    this.#check = new PlanCheck({
      readFile: (path) => contextFile(path, this.#keys.files),
      onVerdict: (verdict) => this.#judged(verdict),
      onEstimate: (makespanMs, cost) => this.#problems.estimate(makespanMs, cost),
      onNoEstimate: (words) => this.#problems.noEstimate(words),
    })
    this.shell = this.#frame()
    this.element = h('div', { class: 'root' }, this.shell.element, this.#keys.element)
    this.#arrange()
  }

  #frame(): Shell {
    const { graph, timeline, counters, travel, step, report } = this.scene
    return new Shell({
      settings: this.#settings.element,
      editor: this.#editor.element,
      problems: this.#problems.element,
      counters: counters.element,
      graph: graph.element,
      timeline: timeline.element,
      travel: travel.element,
      step: step.element,
      report: report.element,
      live: this.#announcer.element,
      actions: this.#actions(),
      onRun: () => (this.#running ? this.#stop() : this.#run()),
      onKey: () => this.#run(),
      onSave: () => this.#save(),
      onView: () => this.scene.refresh(),
    })
  }

  #actions(): HTMLElement[] {
    const button = (words: string, action: () => void, more = ''): HTMLElement => {
      const rest = more !== '' && h('span', { class: 'roomy' }, more)
      return h('button', { type: 'button', class: 'plain', onclick: action }, words, rest)
    }
    return [
      themeSwitch(() => this.scene.recolour()),
      button('Keys', () => this.#keys.open(), ' and files'),
      button('Share', () => void this.#share()),
    ]
  }

  get #running(): boolean {
    return this.#session?.over === false
  }

  /** The plan of a link that is new to this tab, else the draft that the tab had, else the first example. */
  async begin(fragment: string): Promise<void> {
    const draft = keptDraft()
    try {
      const shared = draft?.link === fragment ? undefined : await sharedPlan(fragment)
      if (shared !== undefined) {
        this.#settings.restore({ mode: shared.mode })
        return this.#write(shared.plan, 'The plan of the link')
      }
      if (draft === undefined) return await this.example(examples[0]?.id ?? '')
      this.#settings.restore(draft.settings)
      this.#example = { id: draft.example, text: draft.example === '' ? '' : draft.plan }
      this.#editor.text = draft.plan
    } catch {
      await this.example(examples[0]?.id ?? '')
      this.#say('The link is damaged: its plan cannot be read', 'bad')
    }
  }

  /** A whole plan in place of the one that is there; undo brings that back. */
  #write(plan: string, words?: string): void {
    this.#editor.text = plan
    this.#ask(true)
    if (words !== undefined) this.#say(words)
  }

  async example(id: string): Promise<void> {
    const example = examples.find((known) => known.id === id)
    if (example === undefined) return
    // Until it is there, neither the old plan runs nor is what stands below the editor about what was asked for.
    this.shell.runnable(false)
    this.#problems.busy()
    try {
      const text = await example.load()
      this.#example = { id, text }
      this.#settings.example(id, example.mode ?? 'build')
      this.#write(text)
    } catch (error) {
      this.#ask(true)
      this.#say(`The example cannot be loaded: ${error instanceof Error ? error.message : String(error)}`, 'bad')
    }
  }

  async #openFile(): Promise<void> {
    const file = await pickFile()
    if (file === undefined) return
    try {
      this.#write(await planOfFile(file), `The plan of ${file.name}`)
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error), 'bad')
    }
  }

  #save(): void {
    const name = planFileName(this.#editor.text)
    saveFile(name, 'application/json', this.#editor.text)
    this.#say(`Saved as ${name}`, 'good')
  }

  #edited(text: string): void {
    this.#notice = undefined
    this.#wanted = undefined
    this.#settings.example(text === this.#example.text ? this.#example.id : '')
    this.#ask(false)
  }

  /** Also when a file, a key or a setting has changed. */
  #reconsider(): void {
    this.#notice = undefined
    this.#endTold = false
    this.#ask(true)
    this.#tell()
  }

  #ask(now: boolean): void {
    const { text } = this.#editor
    if (text.trim() === '') {
      this.#check.forget()
      this.#verdict = undefined
      this.#planned = undefined
      this.#problems.empty('The plan is empty')
      this.#editor.problems([])
      return this.#arrange()
    }
    this.#problems.busy()
    const { mode, budgetUsd, simulate } = this.#settings.choices
    const keys = (provider: string): string | undefined => this.#keys.key(provider)
    this.#check.ask(text, { mode, budgetUsd, simulate, keys, config: this.#keys.config }, now)
  }

  /** What is typed is kept as soon as it is judged. */
  keep(): void {
    const { exampleId: example, values: settings } = this.#settings
    keepDraft({ plan: this.#editor.text, example, settings, link: location.hash })
  }

  #judged(verdict: Verdict): void {
    this.#verdict = verdict
    this.keep()
    this.#editor.problems(verdict.problems)
    if (verdict.plan === undefined) {
      this.#problems.broken(verdict.problems)
      return this.#arrange()
    }
    const { steps } = verdict.plan
    const edges = steps.reduce((sum, { dependencies }) => sum + dependencies.length, 0)
    this.#problems.sound(steps.length, edges, verdict.problems)
    this.#planned = RunModel.ofPlan(steps)
    this.#arrange()
    if (this.#wanted === verdict.text) this.#run()
    this.#wanted = undefined
  }

  /**
   * One truth on the screen: the current run; else the last run, when it was of the plan in the editor; else that plan; else, pale, the
   * last one that was sound.
   */
  #arrange(): void {
    const [verdict, session, planned] = [this.#verdict, this.#session, this.#planned]
    const shown = session !== undefined && (this.#running || session.plan === verdict?.text)
    const sound = verdict?.plan !== undefined
    if (shown) this.scene.run(session)
    else if (planned !== undefined) this.scene.plan(planned)
    else this.scene.empty('Pick an example, open a file or write a plan: its graph appears here.', this.#begins)
    this.scene.stale(!shown && planned !== undefined && !sound)
    if (!this.#running) this.shell.runnable(sound)
    this.#tell()
  }

  readonly #begins = { words: 'Begin with a small plan', act: (): void => this.#write(skeleton) }

  #say(words: string, tone: Tone = ''): void {
    this.#notice = { words, tone }
    this.#tell()
    this.#announcer.say(words)
  }

  /** The line in the header: of the same thing as all that is shown. */
  #tell(): void {
    const { words, tone } = this.#notice ?? this.#line()
    this.shell.status(words, tone)
  }

  #line(): { readonly words: string; readonly tone: Tone } {
    const [verdict, session] = [this.#verdict, this.#session]
    const { simulate, speed } = this.#settings.choices
    if (this.#running) {
      const { settings } = session!
      const simulated = settings.simulate && `, simulated: ${settings.simulate}, ${settings.speed} × as fast as claimed`
      return { words: `Running${simulated ?? ''}`, tone: '' }
    }
    if (verdict === undefined) return { words: '', tone: '' }
    if (verdict.plan === undefined) {
      const [problem] = verdict.problems
      return { words: `The plan cannot run yet: ${problem?.detail || problem?.advice || ''}`, tone: 'bad' }
    }
    const { moment } = this.scene
    if (moment !== undefined) return { words: `Time travel: ${moment}`, tone: '' }
    if (session?.plan === verdict.text && this.#endTold) return this.#end(session)
    if (simulate !== undefined)
      return { words: `Simulated, ${speed} × as fast as claimed: no provider is called, nothing is paid`, tone: '' }
    const callable = this.#keys.callable
    if (callable.length === 0) return { words: 'Real providers need a key: see Keys and files', tone: 'bad' }
    return { words: `Real: ${callable.join(', ')} will be called and paid`, tone: '' }
  }

  #end({ result, model, refusal }: RunSession): { readonly words: string; readonly tone: Tone } {
    if (result === undefined) return { words: refusal, tone: 'bad' }
    return { words: endWords(model, result.simulated), tone: result.outcome === 'ok' ? 'good' : 'bad' }
  }

  #run(): void {
    const plan = this.#editor.text
    if (this.#running) return
    if (this.#verdict?.text !== plan) this.#wanted = plan
    else if (this.#verdict.plan !== undefined) this.#start(plan, this.#verdict.plan.steps.length)
  }

  #start(plan: string, steps: number): void {
    const { choices } = this.#settings
    if (choices.simulate === undefined && this.#keys.callable.length === 0) return this.#keys.open()
    const session = new RunSession(
      plan,
      {
        ...choices,
        config: this.#keys.config,
        relay: this.#keys.relay,
        keys: (provider) => this.#keys.key(provider),
        readFile: (path) => contextFile(path, this.#keys.files),
        documents: visitorDocuments(this.#keys.files),
      },
      {
        onEvents: () => this.#progress(session),
        onText: () => this.scene.step.refresh(),
        onEnd: () => this.#ended(session),
      },
    )
    this.#session = session
    this.#notice = undefined
    this.#settings.lock(true)
    this.shell.running('running')
    if (this.shell.narrow && this.shell.view === 'plan') this.shell.show('graph')
    if (this.shell.view === 'report') this.shell.show('graph')
    this.#arrange()
    this.#announcer.began(`The run begins: ${plural(steps, 'step')}`)
  }

  #progress(session: RunSession): void {
    this.scene.refresh()
    if (!session.over) this.#announcer.progress(session.model)
  }

  #stop(): void {
    this.#session?.stop()
    this.shell.running('stopping')
  }

  #ended(session: RunSession): void {
    this.#settings.lock(false)
    this.shell.running('idle')
    this.#endTold = true
    this.#announcer.say(this.#end(session).words)
    this.#arrange()
  }

  /** The cursor of the editor is in a step. */
  #follow(step: number | undefined): void {
    if (step === undefined || this.scene.rows[step] === undefined || this.#verdict?.text !== this.#editor.text) return
    this.scene.select(step, false)
  }

  #filesOf(paths: readonly string[]): Promise<(readonly [string, string])[]> {
    const read = async (path: string) => [path, await contextFile(path, this.#keys.files).catch(() => '')] as const
    return Promise.all(paths.map(read))
  }

  async #share(): Promise<void> {
    const { words, shared } = await shareLink({ plan: this.#editor.text, mode: this.#settings.choices.mode })
    this.keep()
    this.#say(words, shared ? 'good' : 'bad')
  }
}
