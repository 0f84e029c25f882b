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
      run: crypto.randomUUID().replaceAll('-', ''),
      startedAt: new Date().toISOString(),
      ...(simulated === undefined ? {} : { simulated }),
    },
  }
}
