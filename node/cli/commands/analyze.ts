/** `aetherflow analyze HISTORY.json --schema S.json`: the answer as JSON to stdout, what is to be said of it to stderr. */
import path from 'node:path'
import {
  formatCount,
  formatDuration,
  formatUsd,
  oneLine,
  simulatedLabel,
  visibleText,
} from '../../../web/standard/format.js'
import type { Turn } from '../../../web/standard/analysis/history.js'
import { openAnalyzer, type Analysis } from '../../index.js'
import { RunEntry } from '../../ledger/ledger.js'
import { placeOf } from '../cache-place.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { readJson } from '../json-file.js'
import { planOptions, simulatedName, type SharedFlags } from './run.js'

export interface AnalyzeFlags extends SharedFlags {
  readonly schema: string
  readonly session?: string
  readonly tenant?: string
  readonly instruction?: string
  readonly cache?: string
  readonly historyTokens?: number
  readonly force?: true
  readonly persist: boolean
  readonly json?: true
}

export async function analyze(file: string, flags: AnalyzeFlags, host: Host): Promise<ExitCode> {
  const { stdout, stderr, signal } = host
  const [history, schema] = [turnsIn(await readJson(file, host)), await readJson(flags.schema, host)]
  const entry = RunEntry.of(host.env, simulatedName(flags))
  const { concurrency: _concurrency, ...options } = planOptions(flags)
  const analyzer = await openAnalyzer({
    ...options,
    ...(await placeOf(flags.cache)),
    onEvent: (event) => entry?.event(event),
    onProblem: (problem) => void stderr.write(`warning cache: ${oneLine(problem)}\n`),
  })
  try {
    const { tenant, instruction, force, persist, historyTokens } = flags
    const found = await analyzer.analyze({
      session: flags.session ?? path.basename(file),
      history: history as readonly Turn[],
      schema: schema as Readonly<Record<string, unknown>>,
      ...{ tenant, instruction, force, persist, historyTokens, signal },
    })
    const shown = JSON.stringify(flags.json === true ? found : found.value, null, 2)
    stdout.write(`${stdout.isTTY === true ? visibleText(shown) : shown}\n`)
    stderr.write(`${words(found)}${simulatedLabel(simulatedName(flags))}\n`)
    return exitCodes.ok
  } finally {
    await analyzer.close()
    const problem = await entry?.close()
    if (problem !== undefined) stderr.write(`warning ledger: ${oneLine(String(problem))}\n`)
  }
}

/** A list of turns, or an object that has one as conversations are often kept. */
function turnsIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { history, messages } = value as Record<string, unknown>
  return history ?? messages ?? value
}

function words({ from, provider, model, ms, costMicroUsd, history }: Analysis): string {
  const { turns, kept, tokens, cut } = history
  const seen = `${kept} of ${turns} turns seen${cut ? ', the last without its beginning' : ''}, about ${formatCount(tokens)} tokens`
  const source = from === 'cache' ? `kept answer of ${provider}/${model}` : `${provider}/${model}`
  return `${oneLine(source)} in ${formatDuration(ms)}, ${formatUsd(costMicroUsd)}; ${seen}`
}
