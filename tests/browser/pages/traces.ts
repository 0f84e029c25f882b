/** A page that plays the Markdown traces on the core, in its own thread, from the unbundled files. */
import type { CoreModule } from '../../../bindings/module.js'
import { CoreRun } from '../../../bindings/core.js'
import { createCore } from '../../../bindings/glue.js'
import { parseTrace, TracePlayer } from '../../bindings/trace-player.js'

declare global {
  var playTrace: (name: string) => Promise<{ lines: readonly string[]; expected: readonly string[]; bytes: number[] }>
}

let loading: Promise<CoreModule> | undefined

globalThis.playTrace = async (name) => {
  loading ??= createCore()
  const run = new CoreRun(await loading)
  try {
    const trace = parseTrace(await (await fetch(`/traces/${name}`)).text())
    const { lines, bytes } = new TracePlayer(run, trace).play()
    return { lines, expected: trace.lines, bytes: [...bytes] }
  } finally {
    run.dispose()
  }
}
