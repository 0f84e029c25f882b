/** `aetherflow explain PLAN --prompts`: what each call would send, word for word; answers that prompts quote are the simulator's. */
import { visibleText } from '../../../web/standard/format.js'
import { runPlan, type SentPrompt } from '../../index.js'
import { promptText } from '../../run/prompt-folder.js'
import { documentsOf } from '../docs-flags.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { planInput } from '../plan-input.js'
import { QuietRenderer } from '../render/plain.js'
import { asciiControls } from '../render/json.js'
import type { ExplainFlags } from './explain.js'
import { exitCodeOfOutcome, planOptions } from './run.js'

export async function explainPrompts(path: string, flags: ExplainFlags, host: Host): Promise<ExitCode> {
  const { stdout, stderr, signal } = host
  const input = await planInput(path, host)
  const failures = new QuietRenderer(stderr)
  const clean = stdout.isTTY === true ? visibleText : (text: string): string => text
  let count = 0
  const onPrompt = (prompt: SentPrompt): void => {
    const text = flags.json
      ? `${asciiControls(JSON.stringify(prompt))}\n`
      : `${count === 0 ? '' : '\n'}${promptText(prompt)}`
    stdout.write(clean(text))
    count += 1
  }
  const result = await runPlan(input.source, {
    ...planOptions(flags),
    simulate: flags.simulate ?? 'instant',
    folder: flags.files ?? input.folder,
    allowFiles: flags.allowFile,
    documents: documentsOf(flags),
    signal,
    onPrompt,
    onEvent: (event) => failures.event(event),
  })
  stderr.write(`${count} prompts; nothing was sent, and the outputs that they quote are simulated\n`)
  return result.outcome === 'ok' ? exitCodes.ok : exitCodeOfOutcome(result)
}
