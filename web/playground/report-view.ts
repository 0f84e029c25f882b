/** The report of a run: on screen, and as a file to keep: Markdown, JSON, or one page of HTML that needs nothing else. */
import type { PageRunResult } from '../browser/index.js'
import { reportHtml } from '../standard/report/html.js'
import { reportMarkdown, type ReportExtras } from '../standard/report/markdown.js'
import { version } from '../standard/version.js'
import { fill, h } from '../element/dom.js'
import { chartsOf } from './chart-library.js'
import { saveFile } from './plan-files.js'
import { reportElements } from './report-document.js'
import { ganttSvg } from './report-gantt.js'
import type { RunModel } from '../element/run-model.js'

/** A run that may have come to its end. */
export interface Reported {
  readonly model: RunModel
  readonly result: Pick<PageRunResult, 'report' | 'simulated' | 'warnings' | 'outcome' | 'outputs'> | undefined
  /** What providers said of failed steps, by step. */
  readonly messages: ReadonlyMap<string, string>
  readonly startedAt: Date
}

export class ReportView {
  readonly element: HTMLElement
  readonly #body = h('article', { class: 'report-body' })
  readonly #buttons: HTMLElement
  #session: Reported | undefined

  constructor() {
    const button = (words: string, make: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'plain', onclick: make }, words)
    this.#buttons = h(
      'div',
      { class: 'downloads', role: 'group', 'aria-label': 'Download the report' },
      h('span', {}, 'Download'),
      button('Markdown', () => this.#download('md', 'text/markdown', this.markdown())),
      button('JSON', () => this.#download('json', 'application/json', this.json())),
      button('HTML', () => void this.html().then((page) => this.#download('html', 'text/html', page))),
    )
    this.element = h('div', { class: 'report' }, this.#buttons, this.#body)
    this.empty('Run a plan, and its report appears here.')
  }

  empty(words: string): void {
    this.#session = undefined
    this.#buttons.hidden = true
    fill(this.#body, h('p', { class: 'af-empty' }, words))
  }

  show(session: Reported): void {
    this.#session = session
    this.#buttons.hidden = session.result === undefined
    fill(this.#body, ...this.#elements())
  }

  markdown(): string {
    const result = this.#session?.result
    if (result === undefined) return ''
    return reportMarkdown(result.report, this.#extras(result))
  }

  /** As `run.json` of the command line, but with the outputs themselves instead of the names of their files. */
  json(): string {
    const session = this.#session
    const result = session?.result
    if (session === undefined || result === undefined) return ''
    const { simulated, outcome, warnings, report, outputs } = result
    const kept = {
      aetherflow: version,
      ...(simulated === undefined ? {} : { simulated }),
      startedAt: session.startedAt.toISOString(),
      outcome,
      outputs: Object.fromEntries(outputs),
      messages: Object.fromEntries(session.messages),
      warnings,
      report,
    }
    return `${JSON.stringify(kept, null, 2)}\n`
  }

  /** The same page that the command line writes: everything is in it. */
  async html(): Promise<string> {
    const result = this.#session?.result
    if (result === undefined) return ''
    const extras = this.#extras(result)
    const charts = await chartsOf(result.report)
    return reportHtml(result.report, { ...extras, picture: 'timeline.svg', charts })
  }

  #extras({ simulated, warnings }: Pick<PageRunResult, 'simulated' | 'warnings'>): ReportExtras {
    return { simulated, warnings, messages: this.#session?.messages ?? new Map() }
  }

  #elements(): Element[] {
    const session = this.#session
    if (session?.result === undefined) return []
    const elements: Element[] = reportElements(this.markdown())
    const chart = ganttSvg(session.model)
    // Behind the summary: what ran when says more than any of the tables that follow.
    const second = elements.findIndex((element, index) => index > 1 && element.tagName === 'H3')
    if (chart !== undefined && second > 0) {
      const third = elements.findIndex((element, index) => index > second && element.tagName === 'H3')
      const heading = h('h3', {}, 'Timeline')
      elements.splice(
        third > 0 ? third : elements.length,
        0,
        heading,
        h('div', { class: 'chart', tabindex: 0, role: 'group', 'aria-label': 'Timeline' }, chart),
      )
    }
    return elements
  }

  #download(ending: string, type: string, text: string): void {
    const name = (this.#session?.result?.report.taskId ?? '').replace(/[^\w.-]+/g, '-').slice(0, 60) || 'run'
    saveFile(`${name}-report.${ending}`, type, text)
  }
}
