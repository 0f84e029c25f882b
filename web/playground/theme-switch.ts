/** Light, dark, or as the system has it. The choice lasts as long as the page: nothing is stored. */
import { h } from '../element/dom.js'

const themes = ['auto', 'light', 'dark'] as const

export function themeSwitch(onChange: () => void): HTMLElement {
  const options = themes.map((theme) => h('option', { value: theme }, `Theme: ${theme}`))
  const select = h('select', { id: 'set-theme', 'aria-label': 'Theme' }, ...options)
  select.addEventListener('change', () => {
    document.documentElement.dataset['theme'] = select.value
    onChange()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange)
  return select
}
