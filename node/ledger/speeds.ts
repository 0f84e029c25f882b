/** How fast models were in the user's own runs, by the ledger: what an explanation of a plan is estimated by where there is enough of it. */
import type { RunEventOf } from '../../bindings/events.js'
import { withSpeeds } from '../../web/standard/run/measured-table.js'
import type { Config, ModelConfig } from '../../web/standard/config.js'
import { median } from '../bench/statistics.js'
import type { LedgerRecord } from './record.js'

/** Shorter answers say more of the clock than of the model. */
const leastTokens = 32
/** Calls that a speed takes, and the latest ones that count. */
const [leastCalls, mostCalls] = [5, 50]
/** Days back that count: providers change their speeds. */
export const speedDays = 30

/**
 * Of a call that went well and streamed: ms to its first token, and tokens per second after that. Undefined: it cannot say. Hidden thought
 * comes before the first token and is planned apart, so answers with any are left out.
 */
export function speedOf({
  outcome,
  tokens,
  tokensEstimated,
  firstTokenMs,
  responseMs,
}: Pick<RunEventOf<'callEnd'>, 'outcome' | 'tokens' | 'tokensEstimated' | 'firstTokenMs' | 'responseMs'>):
  readonly [number, number] | undefined {
  if (outcome !== 'ok' || tokensEstimated || firstTokenMs === null || responseMs === null) return undefined
  const ms = responseMs - firstTokenMs
  if (tokens.output < leastTokens || tokens.reasoning > 0 || ms <= 0) return undefined
  return [Math.round(firstTokenMs), Math.round((tokens.output / ms) * 10_000) / 10]
}

/** Medians of the latest calls of a model. */
export interface MeasuredSpeed {
  readonly provider: string
  readonly model: string
  readonly firstTokenMs: number
  readonly tokensPerSecond: number
  /** Calls, and the ISO time of the newest. */
  readonly n: number
  readonly newest: string
}

/** Models of which enough is known, as of `records` in any order. */
export function measuredSpeeds(records: readonly LedgerRecord[]): MeasuredSpeed[] {
  const models = new Map<string, { at: string; first: number; speed: number }[]>()
  for (const record of records) {
    if (!('provider' in record)) continue
    const key = `${record.provider}\n${record.model}`
    const samples = models.get(key) ?? []
    for (const [first, speed] of record.speeds ?? []) samples.push({ at: record.at, first, speed })
    models.set(key, samples)
  }
  return [...models].flatMap(([key, samples]) => {
    const [provider = '', model = ''] = key.split('\n')
    const latest = samples.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, mostCalls)
    if (latest.length < leastCalls) return []
    const firstTokenMs = median(latest.map(({ first }) => first))
    const tokensPerSecond = median(latest.map(({ speed }) => speed))
    return [{ provider, model, firstTokenMs, tokensPerSecond, n: latest.length, newest: latest[0]!.at }]
  })
}

/** Where the speed of a model comes from, for those who read an explanation. */
export interface SpeedSource extends Pick<MeasuredSpeed, 'provider' | 'model'> {
  readonly source: 'measured' | 'configuration' | 'table'
  readonly measured?: MeasuredSpeed
}

/**
 * The configuration with measured speeds in the place of the table's. What the user has configured himself stays; models that neither
 * knows are left out, as nothing else is known of them. `defaults`: the built-in table.
 */
export function withMeasured(
  defaults: unknown,
  config: Config,
  speeds: readonly MeasuredSpeed[],
): { config: Config; source: (provider: string, model: string) => SpeedSource } {
  const built = (defaults as Config).providers ?? {}
  const own = (provider: string, model: string): ModelConfig | undefined =>
    config.providers?.[provider]?.models?.[model]
  const isConfigured = (provider: string, model: string): boolean => {
    const known = own(provider, model)
    return known?.firstTokenMs !== undefined || known?.tokensPerSecond !== undefined
  }
  const used = speeds.filter(({ provider, model }) => {
    const known = own(provider, model) ?? built[provider]?.models?.[model]
    return known !== undefined && !isConfigured(provider, model)
  })
  const measured = used.map(({ provider, model, firstTokenMs, tokensPerSecond }) => {
    const speed = { firstTokenMs, tokensPerSecond: Math.min(1e6, Math.max(1, tokensPerSecond)) }
    return { provider, model, speed }
  })
  const source = (provider: string, model: string): SpeedSource => {
    const measured = used.find((one) => one.provider === provider && one.model === model)
    if (measured !== undefined) return { provider, model, source: 'measured', measured }
    return { provider, model, source: isConfigured(provider, model) ? 'configuration' : 'table' }
  }
  return { config: withSpeeds(config, measured), source }
}
