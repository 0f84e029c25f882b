/** A journal whose lines are also told to the caller, as they are written. */
import type { DriverOptions } from '../../../bindings/driver-options.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'
import type { OpenedRun } from './open-run.js'

type Tell = (lines: string) => void

/** One that is kept nowhere: what was told is as durable as its readers. */
export function memoryJournal(
  tell: Tell,
  header: JournalHeader,
  simulated: string | undefined,
): DriverOptions['journal'] {
  return {
    writer: {
      append: tell,
      flush: () => Promise.resolve(),
      onFailure: () => undefined,
      close: () => Promise.resolve(),
    },
    start: { ...header, ...(simulated === undefined ? {} : { simulated }) },
  }
}

/** One that is kept: first its lines of earlier processes are told. */
export function telling({ journal, before }: OpenedRun, tell: Tell): DriverOptions['journal'] {
  tell(before())
  if (journal === undefined) return undefined
  const { writer, start } = journal
  return {
    writer: {
      append: (lines) => {
        writer.append(lines)
        tell(lines)
      },
      flush: () => writer.flush(),
      onFailure: (listener) => writer.onFailure(listener),
      close: () => writer.close(),
    },
    start,
  }
}
