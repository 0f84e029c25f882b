/** Own providers, prices and policies, as a configuration file has them, and a relay. In the memory of this page, as keys are. */
import type { Config } from '../browser/index.js'
import { h } from '../element/dom.js'

const example =
  '{ "providers": { "own": { "dialect": "generic", "baseUrl": "http://127.0.0.1:8080/v1", "default": "m", "models": { "m": {} } } } }'

export class Configuration {
  readonly elements: readonly HTMLElement[]
  readonly #text = h('textarea', {
    id: 'configuration',
    rows: 4,
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: example,
    'aria-describedby': 'configuration-said',
  })
  readonly #relay = h('input', {
    id: 'relay',
    type: 'url',
    inputmode: 'url',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'none: providers are called themselves',
  })
  readonly #said = h('p', { class: 'said', id: 'configuration-said', role: 'status' })
  config: Config | undefined

  /** `onProviders`: ids of the providers that it names. */
  constructor(onProviders: (ids: readonly string[]) => void) {
    this.#text.addEventListener('change', () => onProviders(this.#read()))
    this.elements = [
      h(
        'p',
        { class: 'about' },
        'JSON as in a configuration file: own providers, prices, limits, retries. It is used by runs and estimates of this page.',
      ),
      h('label', { class: 'unseen', for: this.#text.id }, 'Configuration, JSON'),
      this.#text,
      this.#said,
      h('div', { class: 'key' }, h('label', { for: this.#relay.id }, 'Relay'), this.#relay),
    ]
  }

  /** What stands there and is an address. */
  get relay(): string | undefined {
    const text = this.#relay.value.trim()
    return /^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined
  }

  #read(): readonly string[] {
    const text = this.#text.value.trim()
    this.config = undefined
    this.#said.textContent = ''
    try {
      const value: unknown = text === '' ? undefined : JSON.parse(text)
      if (value === undefined) return []
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('expected a JSON object')
      this.config = value as Config
      return Object.keys(this.config.providers ?? {})
    } catch (error) {
      this.#said.textContent = `Not used: ${error instanceof Error ? error.message : String(error)}`
      return []
    } finally {
      this.#text.setAttribute('aria-invalid', String(this.#said.textContent !== ''))
    }
  }
}
