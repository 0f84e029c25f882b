/** `aetherflow apply DIR`: the answers of a run become files of the project, or are taken back. */
import { oneLine, plural, simulatedLabel, visibleText } from '../../../web/standard/format.js'
import type { StepChange } from '../../apply/apply.js'
import { applyRun, type RunApplied } from '../../apply/run-apply.js'
import { paint, type Paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'

export interface ApplyFlags {
  readonly dryRun?: true
  readonly undo?: true
  readonly only?: string
  /** The project. */
  readonly files?: string
  readonly json?: true
  readonly quiet?: true
}

export async function apply(folder: string, flags: ApplyFlags, host: Host): Promise<ExitCode> {
  const { dryRun, undo, only, files } = flags
  const applied = await applyRun({ folder, root: files, dryRun, undo, only, env: host.env })
  tellApplied(applied, flags, host)
  return applied.changes.some(({ outcome }) => outcome === 'refused') ? exitCodes.failed : exitCodes.ok
}

/** Of each step a line, and its diff; one JSON object with `--json`. */
export function tellApplied(applied: RunApplied, flags: ApplyFlags, host: Host): void {
  const { root, changes, without, simulated } = applied
  if (flags.json) {
    const plain = changes.map(({ error, ...change }) => ({
      ...change,
      ...(error && { code: error.code, detail: error.detail }),
    }))
    const line = {
      type: 'applied',
      root,
      ...(simulated !== undefined && { simulated }),
      dryRun: flags.dryRun === true,
      changes: plain,
      without,
    }
    host.stdout.write(`${JSON.stringify(line)}\n`)
    return
  }
  const colours = paint(host.stdout, host.env)
  const lines = changes.flatMap((change) => changeLines(change, flags, colours))
  for (const { step, why } of without) lines.push(`without ${oneLine(step)}: no answer to apply (${oneLine(why)})`)
  const count = (outcome: StepChange['outcome']): number => changes.filter((one) => one.outcome === outcome).length
  const done = flags.undo
    ? `${plural(count('undone'), 'file')} as before`
    : `${plural(count('applied'), 'file')} written`
  const refused = count('refused') > 0 ? `, ${count('refused')} refused` : ''
  const how = flags.dryRun ? ' (dry run: nothing was done)' : ''
  lines.push(`${done}${refused} in ${oneLine(root)}${simulatedLabel(simulated)}${how}`)
  host.stdout.write(`${lines.join('\n')}\n`)
}

function changeLines({ step, target, outcome, error, diff }: StepChange, flags: ApplyFlags, colours: Paint): string[] {
  const name = `${oneLine(step)} → ${oneLine(target)}`
  if (error !== undefined) {
    const [first = '', ...more] = visibleText(error.message).split('\n')
    return [`${colours.red('refused')} ${name}: ${oneLine(first)}`, ...more.map((line) => `  ${line}`)]
  }
  const words = { applied: 'applied', same: 'as it is', undone: 'undone ', refused: '' }[outcome]
  const shown = flags.quiet === true || diff === '' ? [] : visibleText(diff.trimEnd()).split('\n')
  return [
    `${words} ${name}`,
    ...shown.map((line) =>
      line.startsWith('+') ? colours.green(line) : line.startsWith('-') ? colours.red(line) : line,
    ),
  ]
}
