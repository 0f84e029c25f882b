/** A journal that the page keeps: its lines are told as they are written. */
import type { DriverOptions } from '../../../bindings/driver.js'
import { journalVersion } from '../../../bindings/journal/journal.js'
import { version } from '../../standard/version.js'
import type { Page } from './job.js'
import type { StartedRun } from './journal.js'

/** What the page has been told is as durable as the page itself. */
export function toldJournal(page: Page, simulated: string | undefined, run: string): DriverOptions['journal'] {
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
      run,
      startedAt: new Date().toISOString(),
      ...(simulated === undefined ? {} : { simulated }),
    },
  }
}

/** 128 random bits in hex; `randomUUID` is missing from pages without TLS. */
export function runId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A journal that is kept, and told too: first what it holds of an earlier tab. */
export function tellingToo({ journal, before }: StartedRun, page: Page): DriverOptions['journal'] {
  page.journal(before)
  if (journal === undefined) return undefined
  const { writer, start } = journal
  const append = (lines: string): void => {
    writer.append(lines)
    page.journal(lines)
  }
  const { flush, onFailure, close } = writer
  return {
    writer: { append, flush: flush.bind(writer), onFailure: onFailure.bind(writer), close: close.bind(writer) },
    start,
  }
}
