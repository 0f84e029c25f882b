/** All there is to know of one step: where it stands, its calls, its answer as it streams, its prompt and what was stripped from it. */
import { formatCost, formatCount, formatDuration, formatUsd } from '../standard/format.js'
import type { Purpose } from '../../bindings/generated/wire.js'
import { draftWords, type DraftState } from '../element/draft-words.js'
import { fill, FrameLoop, h, icon, icons } from '../element/dom.js'
import type { RunModel } from '../element/run-model.js'
import type { StepRow } from '../element/run-rows.js'
import { stateIcon } from '../element/state-icon.js'
import { markOf, stateWords, tookMs } from '../element/step-words.js'
import { providerVariable } from '../element/theme.js'
import { copied } from './clipboard.js'
import { PromptView } from './prompt-view.js'
import type { StepSeen } from './travel-words.js'

export interface StepPanelOptions {
  readonly onClose: () => void
  /** Show another step. */
  readonly onStep: (step: number) => void
  readonly onCancel: (step: string) => void
  /** What the core knows of the step; undefined: nothing ran yet. */
  readonly look: (step: number) => Promise<StepSeen | undefined>
}

/** What is shown, and how it is fed. */
export interface StepScene {
  readonly model: RunModel
  readonly step: number
  /** Time of the run. */
  readonly clock: () => number
  /** The answer so far; of a moment in the past undefined: the panel asks `look`. */
  readonly answer: (() => string) | undefined
  readonly running: boolean
}

export class StepPanel {
  readonly element = h('div', { class: 'step' })
  readonly #options: StepPanelOptions
  readonly #title = h('h2', { tabindex: -1 })
  readonly #state = h('p', { class: 'chip' })
  readonly #facts = h('dl', { class: 'facts' })
  readonly #route = h('p', { class: 'route' })
  readonly #calls = h('div', { class: 'calls' })
  readonly #answer = h('pre', { class: 'answer', tabindex: 0, 'aria-label': 'Answer' })
  readonly #answerHint = h('p', { class: 'hint' })
  /** Whether the answer below is a draft, and what became of it. */
  readonly #draft = h('p', { class: 'draft' })
  readonly #notes = h('ol', { class: 'notes' })
  readonly #links = h('div', { class: 'links' })
  readonly #cancel: HTMLButtonElement
  readonly #prompt = new PromptView()
  readonly #sections: Readonly<Record<'notes' | 'calls' | 'answer', HTMLElement>>
  readonly #frames = new FrameLoop(() => this.#draw())
  #scene: StepScene | undefined
  #drawn = ''
  #looked = ''
  #shownAnswer = ''
  #pastAnswer: string | undefined

  constructor(options: StepPanelOptions) {
    this.#options = options
    const close = h(
      'button',
      {
        type: 'button',
        class: 'af-icon-button',
        'aria-label': 'Close the step',
        title: 'Close (Esc)',
        onclick: options.onClose,
      },
      icon(icons.close),
    )
    const copy = h('button', { type: 'button', class: 'plain', onclick: () => void this.#copy(copy) }, 'Copy')
    this.#cancel = h('button', { type: 'button', class: 'plain', onclick: () => this.#cancelled() }, 'Cancel this step')
    const section = (words: string, ...children: HTMLElement[]): HTMLElement =>
      h('section', {}, h('h3', {}, words), ...children)
    this.#sections = {
      calls: section('Calls', this.#calls),
      answer: h(
        'section',
        {},
        h('div', { class: 'row' }, h('h3', {}, 'Answer'), copy),
        this.#draft,
        this.#answerHint,
        this.#answer,
      ),
      notes: section('What happened', this.#notes),
    }
    this.element.append(
      h('div', { class: 'step-head' }, h('div', {}, this.#title, this.#state), this.#cancel, close),
      h(
        'div',
        { class: 'step-body' },
        this.#facts,
        this.#route,
        this.#sections.answer,
        this.#prompt.element,
        this.#sections.calls,
        this.#sections.notes,
        this.#links,
      ),
    )
    this.element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') options.onClose()
    })
  }

  show(scene: StepScene): void {
    const other = this.#scene?.step !== scene.step || this.#scene.model !== scene.model
    this.#scene = scene
    this.#drawn = ''
    if (other) {
      this.#looked = ''
      this.#pastAnswer = undefined
      this.#route.hidden = true
      this.#prompt.clear()
      this.#setAnswer('')
    }
    this.#draw()
  }

  refresh(): void {
    if (this.#scene !== undefined) this.#frames.ask()
  }

  focus(): void {
    this.#title.focus()
  }

  #draw(): void {
    const scene = this.#scene
    const row = scene?.model.rows[scene.step]
    if (scene === undefined || row === undefined) return
    const live = row.state === 'running' || row.state === 'ready'
    const key = `${row.changedVersion} ${row.bars.length} ${row.note} ${row.tokensOut} ${row.liveTokens} ${live ? Math.floor(scene.clock() / 100) : ''}`
    if (key !== this.#drawn) this.#drawRow(scene, row)
    this.#drawn = key
    this.#setAnswer(scene.answer?.() ?? this.#pastAnswer ?? '')
    this.#answerHint.textContent = this.#shownAnswer === '' ? emptyAnswer(row) : ''
    this.#answerHint.hidden = this.#shownAnswer !== ''
    this.#answer.hidden = this.#shownAnswer === ''
    this.#look(scene, row)
    if (row.state === 'running' && scene.running) this.#frames.ask()
  }

  #drawRow(scene: StepScene, row: StepRow): void {
    this.#title.textContent = row.info.id
    const quiet = row.note === '' || (row.state === 'done' && row.reused === undefined && row.draft === undefined)
    const note = quiet ? '' : row.state === 'done' ? `, ${row.note}` : `: ${row.note}`
    fill(this.#state, stateIcon(markOf(row)), h('span', {}, `${stateWords[row.state]}${note}`))
    this.#state.dataset['state'] = row.state
    this.#draft.hidden = row.draft === undefined
    this.#draft.dataset['draft'] = row.draft ?? ''
    this.#draft.textContent = row.draft === undefined ? '' : draftSentence(row, row.draft)
    this.#cancel.hidden = !scene.running || row.endedAt !== undefined
    fill(this.#facts, ...facts(row, scene.clock()))
    this.#sections.calls.hidden = row.bars.length === 0
    fill(this.#calls, callTable(row, scene.clock()))
    this.#sections.notes.hidden = row.notes.length === 0
    const notes = row.notes.map(({ at, words, detail }) =>
      h(
        'li',
        {},
        h('time', {}, formatDuration(at)),
        h('span', {}, detail === undefined ? words : `${words}: ${detail}`),
      ),
    )
    fill(this.#notes, ...notes)
    fill(
      this.#links,
      this.#linkList(scene.model, 'Needs', row.info.dependencies),
      this.#linkList(scene.model, 'Needed by', row.dependents),
    )
  }

  #linkList(model: RunModel, words: string, steps: readonly number[]): HTMLElement | undefined {
    if (steps.length === 0) return undefined
    const links = steps.slice(0, 40).map((step) => {
      const row = model.rows[step]
      const button = h('button', { type: 'button', onclick: () => this.#options.onStep(step) })
      fill(button, stateIcon(row === undefined ? 'waiting' : markOf(row)), row?.info.id ?? '')
      return h('li', {}, button)
    })
    return h('section', {}, h('h3', {}, words), h('ul', {}, ...links))
  }

  /** Asks for the prompt again when there has been a call since. */
  #look(scene: StepScene, row: StepRow): void {
    const key = `${row.bars.length} ${row.prompts} ${row.endedAt !== undefined}`
    if (key === this.#looked) return
    this.#looked = key
    if (row.bars.length === 0 && scene.answer !== undefined) return this.#prompt.empty(row.reused !== undefined)
    void this.#options.look(scene.step).then(
      (seen) => {
        if (this.#scene?.step !== scene.step || this.#scene.model !== scene.model) return
        if (seen === undefined) return this.#prompt.empty()
        this.#pastAnswer = seen.output
        this.#prompt.show(seen.prompts)
        this.#tellRoute(seen)
        this.#frames.ask()
      },
      (error: unknown) => this.#prompt.failed(error instanceof Error ? error.message : String(error)),
    )
  }

  #tellRoute({ report }: StepSeen): void {
    const route = report?.route
    this.#route.hidden = route === undefined
    if (route === undefined) return
    const others = route.alternatives.map(({ provider, model }) => `${provider} ${model}`)
    fill(
      this.#route,
      h('strong', {}, `${route.provider} ${route.model}`),
      ` by rule “${route.rule}”: ${route.why}.`,
      others.length === 0 ? undefined : h('small', {}, ` Next in line: ${others.join(', ')}.`),
    )
  }

  #setAnswer(text: string): void {
    if (text === this.#shownAnswer) return
    if (text.startsWith(this.#shownAnswer) && this.#shownAnswer !== '') {
      const { scrollTop, clientHeight, scrollHeight } = this.#answer
      const atEnd = scrollTop + clientHeight >= scrollHeight - 24
      this.#answer.append(text.slice(this.#shownAnswer.length))
      if (atEnd) this.#answer.scrollTop = this.#answer.scrollHeight
    } else {
      this.#answer.textContent = text
    }
    this.#shownAnswer = text
  }

  #cancelled(): void {
    const row = this.#scene?.model.rows[this.#scene.step]
    if (row !== undefined) this.#options.onCancel(row.info.id)
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    const words = (await copied(this.#shownAnswer)) ? 'Copied' : 'Not permitted'
    button.textContent = words
    setTimeout(() => (button.textContent = 'Copy'), 1500)
  }
}

/** Whose draft it is, and who has judged it. */
function draftSentence({ bars, provider }: StepRow, draft: DraftState): string {
  const by = (purpose: Purpose): string => bars.filter((bar) => bar.purpose === purpose).at(-1)?.provider ?? ''
  const [drafter, verifier] = [by('draft'), by('verify')]
  if (draft === 'replaced') return `The draft by ${drafter} was replaced: this is the full answer by ${provider}.`
  const who = verifier === '' ? '' : `, ${draft === 'shown' ? 'being verified' : 'verified'} by ${verifier}`
  return `${draftWords[draft][0]?.toUpperCase()}${draftWords[draft].slice(1)}: written by ${drafter}${who}.`
}

function emptyAnswer({ state }: StepRow): string {
  if (state === 'running') return 'No text yet.'
  return state === 'waiting' || state === 'ready' ? 'It has not been called yet.' : 'There is no answer.'
}

function facts(row: StepRow, at: number): HTMLElement[] {
  const { info } = row
  const list: [string, string][] = [
    ['Type', info.type],
    ['Complexity', String(info.complexity)],
    ['Output', info.output],
  ]
  if (info.optional) list.push(['Optional', 'yes'])
  if (info.priority !== 0) list.push(['Priority', String(info.priority)])
  if (row.startedAt !== undefined) {
    list.push(['Started', formatDuration(row.startedAt)], ['Took', formatDuration(tookMs(row, at))])
  }
  if (row.readyAt !== undefined && row.startedAt !== undefined && row.startedAt > row.readyAt)
    list.push(['Queued', formatDuration(row.startedAt - row.readyAt)])
  const since = row.readyAt ?? row.startedAt ?? 0
  if (row.draftAt !== undefined) list.push(['Draft shown after', formatDuration(row.draftAt - since)])
  if (row.confirmedAt !== undefined) list.push(['Confirmed after', formatDuration(row.confirmedAt - since)])
  if (row.tokensIn > 0) list.push(['Tokens in', cachedWords(row)])
  const out = row.tokensOut + row.liveTokens
  if (out > 0)
    list.push([
      'Tokens out',
      `${formatCount(out)}${info.estimatedTokens > 0 ? ` of ~${formatCount(info.estimatedTokens)}` : ''}`,
    ])
  if (row.reused !== undefined)
    list.push(['Saved', `${formatCount(row.reused.tokens)} tokens, ${formatUsd(row.reused.microUsd)}`])
  if (row.costMicroUsd > 0) list.push(['Cost', `${formatCost(row)}${row.priceAssumed ? ' at an assumed price' : ''}`])
  if (info.files.length > 0) list.push(['Files', info.files.join(', ')])
  return list.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))
}

const cachedWords = ({ tokensIn, tokensCached }: StepRow): string =>
  tokensCached > 0 ? `${formatCount(tokensIn)} (${formatCount(tokensCached)} cached)` : formatCount(tokensIn)

function callTable(row: StepRow, at: number): HTMLElement {
  const heads = ['Purpose', 'Provider', 'First token', 'Took', 'End'].map((words) => h('th', { scope: 'col' }, words))
  const rows = row.bars.map((bar, index) => {
    const dot = h('span', { class: 'af-dot' })
    dot.style.setProperty('--provider', `var(${providerVariable(bar.provider)})`)
    const first = bar.firstTokenAt === undefined ? '–' : formatDuration(bar.firstTokenAt - bar.from)
    const nth = row.bars.slice(0, index).filter(({ purpose }) => purpose === bar.purpose).length
    const purpose = nth > 0 ? `${bar.purpose} ${nth + 1}` : bar.purpose
    return h(
      'tr',
      {},
      h('td', {}, purpose),
      h('td', { title: bar.model }, dot, bar.provider),
      h('td', {}, first),
      h('td', {}, formatDuration((bar.to ?? at) - bar.from)),
      h('td', {}, bar.end),
    )
  })
  return h('table', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows))
}
