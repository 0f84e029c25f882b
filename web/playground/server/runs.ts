/** The runs of the server that handed this page out: a list, one of them live or as it was, two beside each other. */
import { fill, h } from '../../element/dom.js'
import { styleSheet, themeCss } from '../../element/theme.js'
import { viewCss } from '../../element/view-style.js'
import { reportRules } from '../report-style.js'
import { formatDuration, formatUsd } from '../../standard/format.js'
import { listRuns, oneRun, reportOf, type ServerRun } from './api.js'
import { RunDetail } from './run-detail.js'

const nameOf = (run: ServerRun): string => run.name ?? run.id

class RunsPage {
  readonly element = h('main')
  readonly #list = h('div', { class: 'scroll' })
  readonly #status = h('p', { role: 'status' })
  readonly #shown = h('section', { 'aria-label': 'Run' })
  readonly #compared = h('section', { 'aria-label': 'Comparison' })
  readonly #chosen = new Set<string>()
  #detail: RunDetail | undefined

  constructor() {
    const again = h('button', { type: 'button', onclick: () => void this.list() }, 'Look again')
    this.element.append(
      h('h1', {}, 'Runs of this server'),
      h('p', {}, h('a', { href: './index.html' }, 'Playground'), ' ', again),
      this.#status,
      this.#list,
      this.#compared,
      this.#shown,
    )
  }

  /** Shows the list, and the run that the address names. */
  async list(): Promise<void> {
    await this.#try(async () => {
      const runs = await this.#fill()
      const named = location.hash.slice(1)
      if (runs.some(({ id }) => id === named)) await this.#open(named)
    })
  }

  async #fill(): Promise<readonly ServerRun[]> {
    const runs = await listRuns()
    this.#status.textContent = runs.length === 0 ? 'There are no runs yet: POST /v1/runs begins one.' : ''
    fill(this.#list, runs.length === 0 ? undefined : this.#table(runs))
    return runs
  }

  #table(runs: readonly ServerRun[]): HTMLElement {
    const shared = runs.some(({ owner }) => owner !== undefined)
    const titles = ['Compare', 'Run', 'State', 'Cost', 'Begun', ...(shared ? ['Carried out by'] : [])]
    const head = titles.map((words) => h('th', { scope: 'col' }, words))
    const rows = runs.map((run) => {
      const box = h('input', {
        ...{ type: 'checkbox', 'aria-label': `compare ${nameOf(run)}`, checked: this.#chosen.has(run.id) },
        onchange: () => void this.#choose(run.id, box.checked),
      })
      const open = h('button', { type: 'button', onclick: () => void this.#try(() => this.#open(run.id)) }, nameOf(run))
      const begun = new Date(run.created_at * 1000).toLocaleString()
      const owner = shared ? [run.owner ?? '–'] : []
      const cells = [box, open, run.status, formatUsd(run.cost_usd * 1e6), begun, ...owner]
      return h('tr', { 'data-run': run.id }, ...cells.map((cell) => h('td', {}, cell)))
    })
    return h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows))
  }

  async #choose(id: string, on: boolean): Promise<void> {
    if (on) this.#chosen.add(id)
    else this.#chosen.delete(id)
    const [one, other] = [...this.#chosen].slice(-2)
    if (one === undefined || other === undefined) return fill(this.#compared)
    await this.#try(async () => {
      const both = await Promise.all([one, other].map(compared))
      fill(this.#compared, h('h2', {}, 'Comparison'), h('div', { class: 'scroll' }, comparison(both)))
    })
  }

  async #open(id: string): Promise<void> {
    this.#detail?.stop()
    location.hash = id
    this.#detail = new RunDetail(
      await oneRun(id),
      (work) => void this.#try(work),
      async () => void (await this.#fill()),
    )
    fill(this.#shown, this.#detail.element)
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.#status.classList.remove('error')
    try {
      await work()
    } catch (error) {
      this.#status.classList.add('error')
      this.#status.textContent = error instanceof Error ? error.message : String(error)
    }
  }
}

interface Compared {
  readonly run: ServerRun
  readonly ms: number | undefined
}

/** A run under way has no report yet. */
async function compared(id: string): Promise<Compared> {
  const run = await oneRun(id)
  const report = run.ended_at === null ? undefined : await reportOf(id).catch(() => undefined)
  return { run, ms: report?.makespanMs }
}

function comparison(both: readonly Compared[]): HTMLElement {
  const row = (name: string, cells: readonly string[]): HTMLElement =>
    h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', {}, cell)))
  const steps = new Set(both.flatMap(({ run }) => (run.steps ?? []).map(({ id }) => id)))
  const stateOf = ({ run }: Compared, step: string): string => run.steps?.find(({ id }) => id === step)?.state ?? '–'
  return h(
    'table',
    {},
    h('thead', {}, h('tr', {}, h('td'), ...both.map(({ run }) => h('th', { scope: 'col' }, nameOf(run))))),
    h(
      'tbody',
      {},
      row(
        'State',
        both.map(({ run }) => run.status),
      ),
      row(
        'Time',
        both.map(({ ms }) => (ms === undefined ? '–' : formatDuration(ms))),
      ),
      row(
        'Cost',
        both.map(({ run }) => formatUsd(run.cost_usd * 1e6)),
      ),
      ...[...steps].map((step) =>
        row(
          step,
          both.map((each) => stateOf(each, step)),
        ),
      ),
    ),
  )
}

document.adoptedStyleSheets = [themeCss(':root'), viewCss, reportRules].map((rules) => styleSheet(rules))
const page = new RunsPage()
document.body.replaceChildren(page.element)
void page.list()
