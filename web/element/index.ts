/**
 * The element `<aetherflow-run>`. Loading this module registers it under that name, unless the page has taken it; nothing else
 * of the page is touched. Without a DOM, on a server that renders pages, loading it does nothing.
 *
 * @packageDocumentation
 */
import { AetherflowRun } from './aetherflow-run.js'

export { AetherflowRun, type AetherflowRunEvents, type PlanValue } from './aetherflow-run.js'

const registry: CustomElementRegistry | undefined = globalThis.customElements
if (registry !== undefined && registry.get('aetherflow-run') === undefined)
  registry.define('aetherflow-run', AetherflowRun)

declare global {
  interface HTMLElementTagNameMap {
    'aetherflow-run': AetherflowRun
  }
}
