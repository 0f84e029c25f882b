/** Light, dark, or as the system has it. The choice lasts as long as the page: nothing is stored. */
import { fill, h, icon } from '../element/dom.js'

const themes = ['auto', 'light', 'dark'] as const
const half = 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zm0 1.5v10a5 5 0 0 1 0-10z'

/** A button that goes from one to the next. */
export function themeSwitch(onChange: () => void): HTMLElement {
  let at = 0
  const button = h('button', { type: 'button', class: 'plain theme' })
  const show = (): void => {
    const theme = themes[at] ?? 'auto'
    document.documentElement.dataset['theme'] = theme
    fill(button, icon(half), h('span', { class: 'roomy' }, theme))
    button.setAttribute('aria-label', `Theme: ${theme}`)
    button.title = `Theme: ${theme}`
  }
  button.addEventListener('click', () => {
    at = (at + 1) % themes.length
    show()
    onChange()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange)
  show()
  return button
}
