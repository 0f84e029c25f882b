// The product's reader: checks, ids, references and cycles included.
import { CoreRun, loadCore } from '../lib/product.mjs'

export const words = 'AetherFlow core (checks and references included)'
const module = await loadCore()

export function read(chunks, first) {
  const core = new CoreRun(module)
  let known = false
  for (const chunk of chunks) {
    core.planBytes(chunk, 0)
    if (known) continue
    known = core.documentText('steps').length > 2
    if (known) first()
  }
  core.planEnd(0)
  const { steps } = core.document('plan')
  core.dispose()
  return steps
}
