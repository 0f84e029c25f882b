/** Keys and context files of the visitor: in the memory of this page, nowhere else, and gone with it. */
import { formatCount, plural } from '../standard/format.js'
import { fill, h, icon, icons } from '../element/dom.js'

export const providerNames: Readonly<Record<string, string>> = {
  deepseek: 'DeepSeek',
  gemini: 'Google Gemini',
  groq: 'Groq',
  mistral: 'Mistral',
  openai: 'OpenAI',
}

/** Bytes of one context file. */
const mostBytes = 1 << 20

export class KeysDialog {
  readonly element: HTMLDialogElement
  readonly files = new Map<string, string>()
  readonly #inputs = new Map<string, HTMLInputElement>()
  readonly #list = h('ul', { class: 'files' })
  readonly #said = h('p', { class: 'said', role: 'status' })
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
    const rows = Object.entries(providerNames).map(([id, name]) => this.#row(id, name))
    const close = h('button', { type: 'submit', class: 'primary' }, 'Done')
    this.element = h(
      'dialog',
      { class: 'keys', 'aria-labelledby': 'keys-title' },
      h(
        'form',
        { method: 'dialog', autocomplete: 'off' },
        h('h2', { id: 'keys-title' }, 'Keys and files'),
        h(
          'p',
          { class: 'about' },
          'Keys are needed for real runs only. They stay in the memory of this page: they are not stored, not shared, and gone when you reload.',
        ),
        ...rows,
        h('h3', {}, 'Context files'),
        h(
          'p',
          { class: 'about' },
          'Files that steps name under context.files. Those of the examples are here already.',
        ),
        this.#picker(),
        this.#list,
        this.#said,
        h('div', { class: 'foot' }, close),
      ),
    )
    this.element.addEventListener('close', () => onChange())
    this.#show()
  }

  open(): void {
    this.element.showModal()
  }

  /** '' counts as none. */
  key(provider: string): string | undefined {
    const value = this.#inputs.get(provider)?.value.trim()
    return value === '' ? undefined : value
  }

  get keyed(): string[] {
    return [...this.#inputs.keys()].filter((id) => this.key(id) !== undefined)
  }

  #row(id: string, name: string): HTMLElement {
    const input = h('input', {
      type: 'password',
      id: `key-${id}`,
      autocomplete: 'off',
      spellcheck: 'false',
      placeholder: 'no key',
      'data-1p-ignore': true,
      'data-lpignore': 'true',
    })
    this.#inputs.set(id, input)
    return h('div', { class: 'key' }, h('label', { for: input.id }, name), input)
  }

  #picker(): HTMLElement {
    const input = h('input', { type: 'file', id: 'file-input', multiple: true })
    input.addEventListener('change', () => void this.#add(input))
    return h('div', { class: 'key' }, h('label', { for: 'file-input' }, 'Add files'), input)
  }

  async #add(input: HTMLInputElement): Promise<void> {
    const large: string[] = []
    for (const file of input.files ?? []) {
      if (file.size > mostBytes) large.push(file.name)
      else this.files.set(file.webkitRelativePath || file.name, await file.text())
    }
    input.value = ''
    this.#said.textContent =
      large.length === 0 ? '' : `larger than ${formatCount(mostBytes)} bytes: ${large.join(', ')}`
    this.#show()
    this.#onChange()
  }

  #show(): void {
    const items = [...this.files].map(([path, text]) => {
      const remove = h(
        'button',
        { type: 'button', class: 'af-icon-button', 'aria-label': `Remove ${path}`, onclick: () => this.#remove(path) },
        icon(icons.close),
      )
      return h('li', {}, h('code', {}, path), h('span', {}, plural(text.length, 'character')), remove)
    })
    fill(this.#list, ...items)
  }

  #remove(path: string): void {
    this.files.delete(path)
    this.#show()
    this.#onChange()
  }
}
