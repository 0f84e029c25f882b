/** Ways to show a run in progress. None of them decides anything, and each may be left out. */
import type { RunEvent } from '../../../bindings/events.js'

/** What is known before the first event. */
export interface RunHeader {
  /** The plan's file name, or the prompt of `generate`. */
  readonly plan: string
  readonly mode: string
  readonly simulated: string | undefined
  /** Where the outputs go, when nobody named the folder. */
  readonly folder?: string | undefined
}

export interface Renderer {
  begin(header: RunHeader): void
  event(event: RunEvent): void
  /** Leaves the screen as it is to stay. Called once, on every way out. */
  end(): void
}
