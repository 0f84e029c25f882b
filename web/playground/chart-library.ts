/** The charts of a report that is kept, drawn by the same library as those of the command line; it is loaded when one is asked for. */
import type { RunReport } from '../browser/index.js'
import type { Block } from '../standard/report/blocks.js'
import { mayHaveCharts } from '../standard/report/facts.js'

interface ChartLibrary {
  runCharts(report: RunReport): readonly Block[]
}

/** Undefined: the tables say the same shorter, or the library cannot be loaded, as from a page that has lost its server. */
export async function chartsOf(report: RunReport): Promise<readonly Block[] | undefined> {
  if (!mayHaveCharts(report)) return undefined
  try {
    const library = (await import(new URL('./charts.js', import.meta.url).href)) as ChartLibrary
    return library.runCharts(report)
  } catch {
    return undefined
  }
}
