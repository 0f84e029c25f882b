/** Keys and context files of the visitor: in the memory of this page, nowhere else, and gone with it. */
import type { Config } from '../browser/index.js'
import { formatCount, plural } from '../standard/format.js'
import { fill, h, icon, icons } from '../element/dom.js'
import { Configuration } from './configuration.js'

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
  readonly #own = h('div', {})
  readonly #configuration = new Configuration((providers) => this.#showOwn(providers))
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
        this.#own,
        h('h3', {}, 'Context files'),
        h(
          'p',
          { class: 'about' },
          'Files that steps name under context.files; context.documents looks in them. Those of the examples are here already.',
        ),
        this.#picker(),
        this.#list,
        this.#said,
        h('h3', {}, 'Configuration'),
        ...this.#configuration.elements,
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

  get config(): Config | undefined {
    return this.#configuration.config
  }
  /** Address of a relay; undefined: providers are called themselves. */
  get relay(): string | undefined {
    return this.#configuration.relay
  }

  /** Names of what a run could call: providers with a key; behind a relay, which may have the keys, that. */
  get callable(): string[] {
    const keyed = [...this.#inputs.keys()].filter((id) => this.key(id) !== undefined)
    const names = keyed.map((id) => providerNames[id] ?? id)
    return names.length === 0 && this.relay !== undefined ? ['the relay'] : names
  }

  /** Keys of the providers that the configuration adds. */
  #showOwn(providers: readonly string[]): void {
    const own = providers.filter((id) => providerNames[id] === undefined)
    for (const id of this.#inputs.keys())
      if (providerNames[id] === undefined && !own.includes(id)) this.#inputs.delete(id)
    const known = new Map([...this.#own.querySelectorAll('input')].map((input) => [input.id, input.value]))
    fill(this.#own, ...own.map((id) => this.#row(id, id)))
    for (const input of this.#own.querySelectorAll('input')) input.value = known.get(input.id) ?? ''
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
