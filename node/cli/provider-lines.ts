/** A provider as lines of a listing. */
import type { Probe } from '../provider-probe.js'
import { formatCount, oneLine, simulatedLabel } from '../../web/standard/format.js'
import type { Paint } from './colour.js'
import { alignedTable } from './table.js'
import { truncate } from './terminal-text.js'

export interface Model {
  readonly id: string
  /** USD per million tokens; null: unknown, never zero. */
  readonly in: number | null
  readonly cached: number | null
  readonly out: number | null
  readonly asOf: string | null
  readonly source: string | null
  /** Tokens of prompt and answer together; null: not known. */
  readonly context: number | null
  /** The host was not there to say it: a preset's assumption. */
  readonly contextAssumed: boolean
  /** Whether the provider lists it; null: it was not asked, or did not tell. */
  readonly live: boolean | null
}
export interface Listed {
  readonly id: string
  readonly name: string
  readonly baseUrl: string
  readonly keyVariable: string
  readonly keyPresent: boolean
  /** False: its host asks for none. */
  readonly keyNeeded: boolean
  /** False: no client speaks its wire format yet. */
  readonly supported: boolean
  readonly dialect: string
  readonly models: readonly Model[]
  /** Models that the provider lists and the table does not have; null: it was not asked, or did not tell. */
  readonly otherModels: number | null
  /** How it answered; null: it was not asked. */
  readonly probe: Omit<Probe, 'models'> | null
}

export function providerLines(
  provider: Listed,
  columns: number,
  colours: Paint,
  simulated: string | undefined,
): string[] {
  const { id, name, keyPresent, keyNeeded, keyVariable, supported, dialect, baseUrl, models } = provider
  const missing = keyNeeded ? colours.yellow('no key') : colours.green('no key needed')
  const key = keyPresent ? colours.green('key present') : missing
  const variable = keyVariable === '' ? '' : ` (${oneLine(keyVariable)})`
  const client = supported ? '' : colours.dim(`, no client for the ${oneLine(dialect)} format yet`)
  const title = name === id ? oneLine(id) : `${oneLine(id)} – ${oneLine(name)}`
  return [
    `${colours.bold(title)}: ${key}${variable}${client}`,
    truncate(`  ${oneLine(baseUrl)}`, columns),
    ...answerLines(provider, colours).map((line) => `  ${line}${simulatedLabel(simulated)}`),
    ...modelLines(models, columns, colours),
  ]
}

/** "answers in 84 ms, 2 of 2 models there, 17 others" or "refuses: auth (401)"; what is left of the money on a line of its own. */
function answerLines({ probe, models, otherModels }: Listed, colours: Paint): string[] {
  if (!probe) return []
  const { failure, ms, balance = [] } = probe
  const status = failure?.status === undefined ? '' : ` (${failure.status})`
  const answered = failure
    ? colours.red(`${probe.reachable ? 'refuses' : 'not reachable'}: ${failure.kind}${status}`)
    : colours.green(`answers in ${ms} ms`)
  const there = models.filter(({ live }) => live === true).length
  const counts = otherModels === null ? [] : [`${there} of ${models.length} models there`, `${otherModels} others`]
  return [
    [answered, ...counts].join(', '),
    ...balance.map(({ currency, total }) => `balance ${oneLine(total)} ${oneLine(currency)}`),
  ]
}

function modelLines(models: readonly Model[], columns: number, colours: Paint): string[] {
  const price = (value: number | null): string => (value === null ? 'unknown' : String(value))
  const asked = models.some(({ live }) => live !== null)
  const live = (model: Model): string => (model.live === null ? '–' : model.live ? 'yes' : 'no')
  const held = models.some(({ context }) => context !== null)
  const context = ({ context: tokens, contextAssumed }: Model): string =>
    tokens === null ? '–' : `${formatCount(tokens)}${contextAssumed ? ' assumed' : ''}`
  const rows = models.map((model) => [
    `  ${oneLine(model.id)}`,
    price(model.in),
    price(model.cached),
    price(model.out),
    ...(held ? [context(model)] : []),
    oneLine(model.asOf ?? '–'),
    ...(asked ? [live(model)] : []),
    oneLine(model.source ?? '–'),
  ])
  const names = [
    '  model',
    'in',
    'cached',
    'out',
    ...(held ? ['context'] : []),
    'as of',
    ...(asked ? ['there'] : []),
    'source',
  ]
  const [heads = '', ...lines] = alignedTable(names, rows, columns)
  return [colours.dim(heads), ...lines]
}
