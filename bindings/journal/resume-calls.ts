/** What the process that is gone has left undone, done again. */
import type { CarryingHost } from '../carrying-host.js'
import { callEndEvent } from '../call-events.js'
import type { Calls } from '../calls.js'
import type { Command } from '../commands.js'
import type { Restored } from './restore.js'

export interface ResumingHost extends CarryingHost {
  readonly calls: Pick<Calls, 'start' | 'verdictLost'>
  carryOut(command: Command): void
}

/** Makes the calls again that were in flight when the earlier process ended. */
export function resumeCalls(
  { open, records, lookups, refused, unjudged }: Restored,
  { core, texts, now, emit, signal, calls, carryOut }: ResumingHost,
): void {
  emit({ type: 'resumed', at: now, records, calls: open.filter(({ cancelled }) => !cancelled).length })
  for (const { command, cancelled, begun } of open) {
    if (!cancelled) {
      const step = texts.steps[command.step]?.id
      // What that process had streamed to the user is gone with it.
      if (begun && step !== undefined) emit({ type: 'restart', at: now, step, call: command.call })
      calls.start(command, true)
    } else if (signal(() => core.failed(command.call, 'cancelled', { shown: false }, now)))
      emit(callEndEvent(core, texts, command, now))
  }
  for (const command of unjudged) calls.verdictLost(command)
  for (const command of lookups) carryOut(command)
  for (const { provider, model } of refused) signal(() => core.freed(provider, model, now))
}
