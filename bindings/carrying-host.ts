/** What those who carry out a command of the core, and tell it later what came of that, have of the driver. */
import type { CoreRun } from './core.js'
import type { RunEvent } from './events.js'
import type { SignalTexts } from './journal/journal.js'
import type { RunTexts } from './run-texts.js'

export interface CarryingHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  emit(event: RunEvent): void
  /** Tells the core something; too late is no fault, but false. */
  readonly signal: (tell: () => void) => boolean
  /** Texts that belong to the signal told next. */
  attach(texts: SignalTexts): void
}
