/** Who wants drafts. */
import type { StepInfo } from '../../../bindings/events.js'
import type { DraftUse } from '../../../bindings/generated/wire.js'

/** By type of step, `*` for all others. */
export type DraftUses = Readonly<Record<string, DraftUse>>

/** A step's own word counts, unless the run says no. `uses`: the run's; undefined: it says nothing. */
export function draftUse({ type, draft }: Pick<StepInfo, 'type' | 'draft'>, uses: DraftUses | undefined): DraftUse {
  const run = uses === undefined ? undefined : (uses[type] ?? uses['*'] ?? 'off')
  return run === 'off' ? 'off' : (draft ?? run ?? 'off')
}
