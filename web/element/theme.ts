/**
 * The colours and sizes of everything that shows a run, as CSS variables. Each may be set from outside: a page that sets
 * `--af-accent` on <aetherflow-run> gets its own accent. Light or dark follows `color-scheme`.
 */
import { providerColour, themeColours } from '../standard/theme.js'

const sizes: readonly (readonly [string, string])[] = [
  ['font', "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"],
  ['mono', "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace"],
  ['radius', '8px'],
]

/** The variable of a provider's colour. */
export const providerVariable = (provider: string): string => `--af-${providerColour(provider)}`

/** A rule that declares all variables on `selector`. Inside a shadow root that is `:host`, which outer rules win over. */
export function themeCss(selector: string): string {
  const lines = themeColours.map(([name, light, dark]) => `--af-${name}: light-dark(${light}, ${dark});`)
  for (const [name, value] of sizes) lines.push(`--af-${name}: ${value};`)
  return `${selector} {\n  ${lines.join('\n  ')}\n}\n`
}

/** A style sheet made by script: a strict Content-Security-Policy lets it pass, a <style> element not. */
export function styleSheet(css: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  return sheet
}

/** Colours as a canvas takes them: variables resolved where `host` stands. */
export class Palette {
  readonly #probe: HTMLElement
  readonly #known = new Map<string, string>()

  /** `host`: an element inside which the variables hold; the probe becomes its child. */
  constructor(host: HTMLElement) {
    this.#probe = document.createElement('span')
    this.#probe.hidden = true
    host.append(this.#probe)
  }

  /** `name` without `--af-`, or a whole variable name. */
  colour(name: string): string {
    const variable = name.startsWith('--') ? name : `--af-${name}`
    const found = this.#known.get(variable)
    if (found !== undefined) return found
    this.#probe.style.color = `var(${variable}, gray)`
    const value = getComputedStyle(this.#probe).color
    this.#known.set(variable, value)
    return value
  }

  /** The theme has changed. */
  forget(): void {
    this.#known.clear()
  }
}
