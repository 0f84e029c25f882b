/**
 * The element `<aetherflow-run>`. Loading this module registers it under that name, unless the page has taken it; nothing else
 * of the page is touched.
 *
 * @packageDocumentation
 */
import { AetherflowRun } from './aetherflow-run.js'

export { AetherflowRun, type AetherflowRunEvents, type PlanValue } from './aetherflow-run.js'

if (customElements.get('aetherflow-run') === undefined) customElements.define('aetherflow-run', AetherflowRun)

declare global {
  interface HTMLElementTagNameMap {
    'aetherflow-run': AetherflowRun
  }
}
