/** `aetherflow tune RESULTS…`: a routing table from measured results, as a configuration. */
import { writeFile } from 'node:fs/promises'
import { CoreRun } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { oneLine, plural } from '../../../web/standard/format.js'
import type { Config } from '../../../web/standard/config.js'
import type { BenchmarkData } from '../../bench/data.js'
import { readResults } from '../../bench/result-files.js'
import { tune, type Objective, type Rule, type Tuning } from '../../bench/tune.js'
import { readConfig } from '../../config.js'
import { loadCore } from '../../loader.js'
import { ioError } from '../../run/outputs.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { wholeTable } from '../table.js'

export interface TuneFlags {
  readonly objective: Objective
  readonly mode: string
  readonly config?: string
  readonly out?: string
  readonly json?: true
}

export async function tuneCommand(paths: readonly string[], flags: TuneFlags, host: Host): Promise<ExitCode> {
  const results: BenchmarkData[] = []
  for (const path of paths) results.push(...(await readResults(path)))
  const simulated = oneKind(results)
  const { objective, mode } = flags
  const { rules, modelOf } = await tableOf(await readConfig(flags.config), mode)
  const tuned = tune(results, { objective, mode, rules, modelOf })
  const changes = tuned.tunings.filter(({ changed }) => changed).length
  const config: Config = changes === 0 ? {} : { modes: { [mode]: { rules: tuned.rules } } }
  if (flags.json) {
    const told = { objective, mode, simulated: simulated ?? null, tunings: tuned.tunings, config }
    host.stdout.write(`${asciiControls(JSON.stringify(told))}\n`)
    return exitCodes.ok
  }
  const text = `${JSON.stringify(config, null, 2)}\n`
  const lines = [
    ...(simulated === undefined
      ? []
      : [`Simulated (profile ${oneLine(simulated)}): this table says nothing about any provider.`]),
    ...tuningLines(tuned.tunings, host.stderr.columns ?? Infinity),
    changes === 0
      ? `nothing changes for ${objective} in mode ${oneLine(mode)}`
      : `${plural(changes, 'rule')} changed for ${objective} in mode ${oneLine(mode)}`,
  ]
  host.stderr.write(`${lines.join('\n')}\n`)
  if (changes === 0) return exitCodes.ok
  if (flags.out === undefined) host.stdout.write(text)
  else await write(flags.out, text)
  return exitCodes.ok
}

/** Name of the profile that all are simulated by. Fails: host.usage for results of several kinds. */
function oneKind(results: readonly BenchmarkData[]): string | undefined {
  const kinds = [...new Set(results.map(({ simulated }) => simulated))]
  if (kinds.length > 1)
    throw new AetherflowError('host.usage', 'RESULTS', 'some are simulated and some are not: tune by one kind')
  return kinds[0] ?? undefined
}

interface BuiltIn {
  readonly providers: Readonly<Record<string, { readonly default?: string; readonly models?: object }>>
  readonly modes: Readonly<Record<string, { readonly rules?: readonly Rule[] }>>
}

/** The rules as they are now: the user's where they have any, else the built-in ones. Fails: host.usage for an unknown mode. */
async function tableOf(
  config: Config,
  mode: string,
): Promise<{ rules: readonly Rule[]; modelOf: (target: string) => string | undefined }> {
  const core = new CoreRun(await loadCore())
  try {
    const built = core.document<BuiltIn>('defaults')
    const modes = { ...built.modes, ...(config.modes as BuiltIn['modes'] | undefined) }
    const rules = Object.hasOwn(modes, mode) ? modes[mode]?.rules : undefined
    if (rules === undefined)
      throw new AetherflowError('host.usage', '--mode', `no mode '${mode}'; there are ${Object.keys(modes).join(', ')}`)
    const modelOf = (target: string): string | undefined => {
      const [provider = '', ...model] = target.split('/')
      const known = { ...built.providers[provider], ...config.providers?.[provider] }
      const named = model.length > 0 ? model.join('/') : known.default
      return named === undefined ? undefined : `${provider} ${named}`
    }
    return { rules, modelOf }
  } finally {
    core.dispose()
  }
}

function tuningLines(tunings: readonly Tuning[], columns: number): string[] {
  if (tunings.length === 0) return ['no step of these results was routed by a rule of this mode']
  const rows = tunings.map(({ rule, type, chosen, changed, reason }) =>
    [rule, type, `${changed ? '→ ' : ''}${chosen}`, reason].map(oneLine),
  )
  return wholeTable(['rule', 'type', 'goes to', 'because'], rows, columns)
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw ioError(path, error)
  }
}
