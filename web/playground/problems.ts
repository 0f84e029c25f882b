/** What the core says of the plan as it is typed, below the editor: each problem a button that leads to its place. */
import { formatDuration, formatUsd, plural } from '../standard/format.js'
import { fill, h } from '../element/dom.js'
import { stateIcon } from '../element/state-icon.js'
import type { Problem } from './editor/plan-editor.js'

/** Problems in the list; the editor marks all. */
const mostShown = 50

export class Problems {
  readonly element = h('div', { class: 'problems', role: 'region', 'aria-label': 'Problems of the plan' })
  readonly #line = h('p', { class: 'verdict' })
  readonly #list = h('ul', {})
  readonly #estimate = h('span', { class: 'estimate' })
  readonly #onPick: (problem: Problem) => void

  constructor(onPick: (problem: Problem) => void) {
    this.#onPick = onPick
    this.element.append(this.#line, this.#list)
  }

  /** Being read: what stands here is about an earlier text. */
  busy(): void {
    this.element.setAttribute('aria-busy', 'true')
  }

  /** The plan is sound, but for warnings. */
  sound(steps: number, edges: number, warnings: readonly Problem[]): void {
    const words = `${plural(steps, 'step')}, ${edges === 1 ? '1 dependency' : `${edges} dependencies`}`
    const more = warnings.length === 0 ? '' : `, ${plural(warnings.length, 'warning')}`
    this.#estimate.textContent = ''
    fill(this.#line, stateIcon('done'), h('span', {}, words + more), this.#estimate)
    this.#show(warnings)
  }

  broken(problems: readonly Problem[]): void {
    fill(this.#line, stateIcon('failed'), h('span', {}, 'The plan cannot run yet'))
    this.#show(problems)
  }

  empty(words: string): void {
    fill(this.#line, h('span', {}, words))
    this.#show([])
  }

  /** What the plan would come to, by planning figures. */
  estimate(makespanMs: number, costMicroUsd: number): void {
    this.#estimate.textContent = `estimate: ${formatDuration(makespanMs)}, ${formatUsd(costMicroUsd)}`
    this.#estimate.title =
      'What a run would take and cost at the speeds that providers claim and the prices of the table'
  }

  noEstimate(words: string): void {
    this.#estimate.textContent = `no estimate: ${words}`
    this.#estimate.title = words
  }

  #show(problems: readonly Problem[]): void {
    this.element.setAttribute('aria-busy', 'false')
    const items = problems.slice(0, mostShown).map((problem) => {
      const button = h(
        'button',
        { type: 'button', onclick: () => this.#onPick(problem) },
        stateIcon(problem.severity === 'error' ? 'failed' : 'ready'),
        h(
          'span',
          {},
          h('strong', {}, problem.detail === '' ? problem.code : problem.detail),
          h(
            'small',
            {},
            `${problem.severity} ${problem.code}${problem.where === '' ? '' : ` at ${problem.where}`}: ${problem.advice}`,
          ),
        ),
      )
      return h('li', {}, button)
    })
    if (problems.length > mostShown) items.push(h('li', { class: 'more' }, `and ${problems.length - mostShown} more`))
    fill(this.#list, ...items)
    this.#list.hidden = items.length === 0
  }
}
