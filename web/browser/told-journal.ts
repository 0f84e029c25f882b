/** A journal that the page keeps: its lines are told as they are written. */
import type { DriverOptions } from '../../bindings/driver.js'
import { journalVersion } from '../../bindings/journal.js'
import { version } from '../standard/version.js'
import type { Page } from './job.js'

/** What the page has been told is as durable as the page itself. */
export function toldJournal(page: Page, simulated: string | undefined): DriverOptions['journal'] {
  return {
    writer: {
      append: (lines) => page.journal(lines),
      flush: () => Promise.resolve(),
      onFailure: () => undefined,
      close: () => Promise.resolve(),
    },
    start: {
      aetherflow: version,
      journal: journalVersion,
      run: runId(),
      startedAt: new Date().toISOString(),
      ...(simulated === undefined ? {} : { simulated }),
    },
  }
}

/** 128 random bits in hex; `randomUUID` is missing from pages without TLS. */
function runId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
