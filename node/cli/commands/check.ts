/** `aetherflow check PLAN|-`: reads a plan and says what is wrong with it and with what it names: files, providers, models. No call. */
import type { ErrorCode } from '../../../bindings/generated/wire.js'
import { oneLine, plural, visibleText } from '../../../web/standard/format.js'
import { checkPlan } from '../../index.js'
import { planName } from '../../run/outputs.js'
import { spreadLines } from '../../spread-words.js'
import { adviceOf } from '../advice.js'
import { paint } from '../colour.js'
import { documentsOf, foundLines, type DocumentFlags } from '../docs-flags.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { planInput } from '../plan-input.js'
import { asciiControls } from '../render/json.js'

export interface CheckFlags extends DocumentFlags {
  readonly watch?: true
  readonly dot?: true
  readonly mode?: string
  readonly config?: string
  readonly files?: string
  readonly allowFile?: readonly string[]
  readonly json?: true
}

/** What to do about it stands with its code, not with the core. */
const advised = <W extends { code: string }>(warning: W): W & { advice: string } => ({
  ...warning,
  advice: adviceOf(warning.code as ErrorCode),
})

export async function check(path: string, flags: CheckFlags, host: Host): Promise<ExitCode> {
  const { stdout } = host
  try {
    const { source, folder } = await planInput(path, host)
    const { mode, config: configFile, files, allowFile: allowFiles } = flags
    const project = configFile === undefined ? '.' : undefined
    const options = { mode, configFile, project, folder: files ?? folder, allowFiles, documents: documentsOf(flags) }
    const { steps, warnings, dot, documents, spread } = await checkPlan(source, options)
    if (flags.json)
      stdout.write(
        `${asciiControls(JSON.stringify({ ok: true, steps, documents, spread, warnings: warnings.map(advised) }))}\n`,
      )
    else if (flags.dot) stdout.write(visibleText(dot))
    if (flags.json || flags.dot) return exitCodes.ok
    const colours = paint(stdout, host.env)
    for (const { code, where, detail } of warnings) {
      stdout.write(`${colours.yellow('warning')} ${code} at ${oneLine(where)}: ${oneLine(detail)}\n`)
    }
    for (const line of spreadLines(spread)) stdout.write(`${line}\n`)
    for (const line of foundLines(documents)) stdout.write(`${line}\n`)
    const edges = steps.reduce((sum, { dependencies }) => sum + dependencies.length, 0)
    const words = `${plural(steps.length, 'step')}, ${edges} ${edges === 1 ? 'dependency' : 'dependencies'}`
    stdout.write(`${colours.green('✓')} ${oneLine(planName(path))}: ${words}, ${plural(warnings.length, 'warning')}\n`)
    return exitCodes.ok
  } catch (error) {
    const { type: _type, ...rest } = failureRecord(error)
    if (flags.json) stdout.write(`${asciiControls(JSON.stringify({ ok: false, error: rest }))}\n`)
    throw error
  }
}
