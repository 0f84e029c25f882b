/** The prompts of a step: as sent, before stripping, and the difference with what each rule took out. */
import { formatCount, plural } from '../standard/format.js'
import { fill, h } from '../element/dom.js'
import { wordDiff, type Piece } from './text-diff.js'
import type { PromptSeen } from './travel-words.js'

const ruleWords: Readonly<Record<string, string>> = {
  pleasantry: 'pleasantries',
  repeated_instruction: 'repeated instructions',
  redundant_example: 'redundant examples',
  markup_noise: 'decoration',
  blank_run: 'blank space',
  duplicated_context: 'paragraphs that stood twice',
  json_space: 'white space in JSON files',
}

const views = ['changes', 'sent', 'before'] as const
const viewWords = { changes: 'Changes', sent: 'As sent', before: 'Before stripping' } as const
type View = (typeof views)[number]

let instances = 0

export class PromptView {
  readonly element: HTMLElement
  readonly #body = h('div', {})
  readonly #name = `prompt-view-${++instances}`
  #prompts: readonly PromptSeen[] = []
  #at = 0
  #view: View = 'changes'

  constructor() {
    this.element = h('section', { class: 'prompt' }, h('h3', {}, 'Prompt'), this.#body)
    this.empty()
  }

  clear(): void {
    this.#prompts = []
    this.#at = 0
    fill(this.#body, h('p', { class: 'hint' }, 'Reading the journal…'))
  }

  empty(reused = false): void {
    this.#prompts = []
    const words = reused ? 'It was not sent: an earlier answer stands.' : 'It is assembled when the step is called.'
    fill(this.#body, h('p', { class: 'hint' }, words))
  }

  failed(words: string): void {
    fill(this.#body, h('p', { class: 'hint bad' }, `The prompt cannot be shown: ${words}`))
  }

  show(prompts: readonly PromptSeen[]): void {
    if (prompts.length === 0) return this.empty()
    this.#prompts = prompts
    this.#at = Math.min(this.#at, prompts.length - 1)
    this.#draw()
  }

  #draw(): void {
    const prompt = this.#prompts[this.#at]
    if (prompt === undefined) return
    const { tokensBefore, tokensAfter, removals } = prompt.stripped
    const saved = tokensBefore - tokensAfter
    const words =
      saved > 0
        ? `about ${formatCount(tokensBefore)} tokens before, ${formatCount(tokensAfter)} sent: ${formatCount(saved)} stripped`
        : `about ${formatCount(tokensAfter)} tokens; there was nothing to strip`
    fill(
      this.#body,
      this.#prompts.length > 1 && this.#picker(),
      h('p', { class: 'hint' }, words),
      removals.length > 0 && removalList(prompt),
      this.#switch(),
      promptText(prompt, this.#view),
    )
  }

  #picker(): HTMLElement {
    const options = this.#prompts.map(({ purpose, provider }, index) =>
      h('option', { value: index }, `${index + 1}. ${purpose}, ${provider}`),
    )
    const select = h('select', { 'aria-label': 'Call' }, ...options)
    select.value = String(this.#at)
    select.addEventListener('change', () => {
      this.#at = Number(select.value)
      this.#draw()
    })
    return select
  }

  #switch(): HTMLElement {
    const buttons = views.map((view) => {
      const input = h('input', { type: 'radio', name: this.#name, value: view, checked: view === this.#view })
      input.addEventListener('change', () => {
        this.#view = view
        this.#draw()
        this.#body.querySelector<HTMLInputElement>(`input[value=${view}]`)?.focus()
      })
      return h('label', {}, input, h('span', {}, viewWords[view]))
    })
    return h('fieldset', { class: 'switch' }, h('legend', { class: 'unseen' }, 'Show the prompt'), ...buttons)
  }
}

function removalList({ stripped }: PromptSeen): HTMLElement {
  const items = stripped.removals.map(({ rule, count, tokens }) =>
    h('li', {}, `${ruleWords[rule] ?? rule}: ${plural(count, 'removal')}, ${plural(tokens, 'token')}`),
  )
  return h('ul', { class: 'removals' }, ...items)
}

const shownPiece = ({ kind, text }: Piece): Node =>
  kind === 'same' ? document.createTextNode(text) : h(kind === 'removed' ? 'del' : 'ins', {}, text)

/** With the first `shared` characters of what was sent marked. */
function markedPieces(pieces: readonly Piece[], shared: number): Node[] {
  const title = 'Prompts of other steps begin so too: providers read it once and keep it.'
  const mark = h('mark', { class: 'shared', title })
  const rest: Node[] = []
  let left = shared
  for (const piece of pieces) {
    const head = piece.kind === 'removed' ? (left > 0 ? piece.text.length : 0) : Math.min(left, piece.text.length)
    if (head > 0) mark.append(shownPiece({ ...piece, text: piece.text.slice(0, head) }))
    if (head < piece.text.length) rest.push(shownPiece({ ...piece, text: piece.text.slice(head) }))
    if (piece.kind !== 'removed') left -= head
  }
  return [mark, ...rest]
}

function promptText({ sent, unstripped }: PromptSeen, view: View): HTMLElement {
  const part = (label: string, before: string, after: string, shared = 0): HTMLElement => {
    const text = h('pre', { tabindex: 0, 'aria-label': label })
    const pieces: readonly Piece[] =
      view === 'changes' ? wordDiff(before, after) : [{ kind: 'same', text: view === 'sent' ? after : before }]
    if (shared === 0 || view === 'before') text.append(...pieces.map(shownPiece))
    else text.append(...markedPieces(pieces, shared))
    return h('div', {}, h('h4', {}, label), text)
  }
  return h(
    'div',
    { class: 'prompt-texts' },
    part('System', unstripped.system, sent.system),
    part(sent.shared > 0 ? 'User (marked: shared with other steps)' : 'User', unstripped.user, sent.user, sent.shared),
  )
}
