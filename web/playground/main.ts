/** Opens the playground in the page. */
import { styleSheet, themeCss } from '../element/theme.js'
import { viewCss } from '../element/view-style.js'
import { h } from '../element/dom.js'
import { Playground } from './app.js'
import type { Schema } from './editor/plan-schema.js'
import { reportRules } from './report-style.js'

async function open(): Promise<void> {
  // Before the sheet of the page, which may say otherwise.
  document.adoptedStyleSheets = [styleSheet(themeCss(':root')), styleSheet(viewCss), styleSheet(reportRules)]
  const reply = await fetch(new URL('./plan.schema.json', import.meta.url))
  if (!reply.ok) throw new Error(`plan.schema.json: the server answered ${reply.status}`)
  const playground = new Playground((await reply.json()) as Schema)
  document.body.replaceChildren(playground.element)
  await playground.begin(location.hash)
  // A link that is opened in this very tab.
  addEventListener('hashchange', () => void playground.begin(location.hash))
  addEventListener('pagehide', () => playground.keep())
  // For measurements and tests: what was drawn, how long it took, and what part of the graph is seen.
  const { drawn, view } = playground.scene.graph
  Object.assign(globalThis, { aetherflowPlayground: { drawn, view } })
}

open().catch((error: unknown) => {
  const words = error instanceof Error ? error.message : String(error)
  document.body.replaceChildren(
    h('main', { class: 'broken', role: 'alert' }, h('h1', {}, 'The playground cannot start'), h('p', {}, words)),
  )
})
