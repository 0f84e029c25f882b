/** What every host asks of a run that goes on from its journal. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent } from '../../../bindings/events.js'
import type { JournalDamage } from '../../../bindings/journal/reader.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'
import { withoutKeys, type CeilingConfig, type Config } from '../config.js'
import type { PlanSettings } from './setup.js'
import { canonical } from '../../../bindings/canonical.js'

const lasting = ['mode', 'concurrency', 'strip', 'optimize', 'seed'] as const

/** Fails with host.usage for options that the run did not begin with. `begin`: its options document; undefined if there is none. */
export function mustAgree(options: PlanSettings, begin: unknown): void {
  if (begin === undefined) return
  const table = (begin as { table?: Readonly<Record<string, unknown>> }).table ?? {}
  // The same once more is no other: a command that begins or goes on may always be given again.
  if (!holds(table, options.policy ?? {})) {
    const detail = 'a run keeps the limits and budgets that it began with; reuse begins a new run'
    throw new AetherflowError('host.usage', 'policy', detail)
  }
  for (const name of lasting) {
    const [asked, was] = [options[name], (begin as PlanSettings)[name]]
    if (asked === undefined || JSON.stringify(asked) === JSON.stringify(was)) continue
    const detail = `the run began with ${was === undefined ? 'the default' : JSON.stringify(was)}, and keeps it`
    throw new AetherflowError('host.usage', name, detail)
  }
}

/** Whether every value of `part` is in `whole`, at the same place. */
function holds(whole: unknown, part: unknown): boolean {
  if (!isObject(part)) return part === undefined || canonical(whole) === canonical(part)
  const members = isObject(whole) ? whole : {}
  return Object.entries(part).every(([name, value]) => holds(members[name], value))
}

/** What providers cost and which models there are, what is done where: all that decides over money, but for the budgets. */
const weighty = ['providers', 'modes', 'overflow', 'repairs', 'unknownPrice'] as const
/** Of a provider, what the host alone looks at, or what only decides how fast a run is. */
const harmless = new Set(['name', 'baseUrl', 'key', 'keyEnv', 'concurrency', 'quotaGroup'])
/** Of a model, what is measured or asked for, and may be another in every process. */
const measured = new Set(['firstTokenMs', 'tokensPerSecond', 'tokenFactor', 'context', 'contextAssumed'])

/**
 * Why a run may not go on as it began; undefined: it may. A folder of a run may come from somebody else, and its journal holds prices
 * and budgets: those of the configuration hold all the same. `config`: of now, with the policy of now.
 */
export function looser(config: Config, begin: unknown): string | undefined {
  if (begin === undefined) return undefined
  const table = (begin as { table?: Readonly<Record<string, unknown>> }).table ?? {}
  const now = withoutKeys(config)
  for (const name of weighty) {
    const [was, is] = [table, now].map((each) =>
      canonical(name === 'providers' ? priced(each[name]) : (each[name] ?? {})),
    )
    if (was !== is) return `it began with other ${name} than the configuration names now`
  }
  const budgets = [now, table].map(({ budget }) => (isObject(budget) ? budget : {}))
  for (const scope of ['run', 'step', 'attempt'] as const) {
    const [mine = {}, its = {}] = budgets.map((budget) => budget[scope] as CeilingConfig | undefined)
    for (const unit of ['usd', 'tokens'] as const) {
      const most = mine[unit]
      if (most === undefined || (its[unit] ?? Infinity) <= most) continue
      return `it began with ${its[unit] === undefined ? 'no budget' : `a budget of ${its[unit]}`} in ${unit} for each ${scope}, and ${most} is the most now`
    }
  }
  return undefined
}

/** A provider or model of which nothing is said that weighs is as the built-in table has it. */
function priced(providers: unknown): Record<string, unknown> {
  return said(providers, (provider) => {
    const { models, ...rest } = without(provider, harmless)
    const told = said(models, (model) => without(model, measured))
    return Object.keys(told).length > 0 ? { ...rest, models: told } : rest
  })
}

/** Each member in its short form; those of which nothing is left are left out. */
function said(
  members: unknown,
  short: (member: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): Record<string, unknown> {
  const shortened = Object.entries(isObject(members) ? members : {}).map(([id, member]) => {
    return [id, isObject(member) ? short(member) : member] as const
  })
  return Object.fromEntries(shortened.filter(([, member]) => !isObject(member) || Object.keys(member).length > 0))
}

const without = (of: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !names.has(name)))

/** Fails with host.usage for a run that must not go on as it began. */
export function mustNotLoosen(config: Config, begin: unknown): void {
  const why = looser(config, begin)
  if (why === undefined) return
  const detail = `${why}; reuse begins a new run that keeps what is done, under what holds now`
  throw new AetherflowError('host.usage', 'resume', detail)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A run continues with the providers that it began with: the core's decisions rest on them. Fails: host.config. */
export function mustBeAvailable(begin: unknown, available: readonly string[], where = ''): void {
  const began = (begin as { available?: readonly string[] } | undefined)?.available ?? []
  const missing = began.filter((id) => !available.includes(id))
  if (missing.length === 0) return
  throw new AetherflowError('host.config', where, `the run began with keys of ${missing.join(', ')}: set them again`)
}

/** A simulated run is not to go on against real providers, nor the other way round. Fails: host.journal. */
export function mustFit(header: JournalHeader, simulated: string | undefined, where: string): void {
  if (header.simulated === simulated) return
  const words = (name: string | undefined): string =>
    name === undefined ? 'real providers' : `the simulated profile ${name}`
  const detail = `the run began with ${words(header.simulated)}, not with ${words(simulated)}`
  throw new AetherflowError('host.journal', where, detail)
}

/** What follows the part that the journal has; undefined: the plan does not begin so. Fails with host.journal without a plan. */
export function restOf(plan: Uint8Array | undefined, known: Uint8Array, where: string): Uint8Array | undefined {
  if (plan === undefined) {
    throw new AetherflowError('host.journal', where, 'the plan had not come to its end: name it once more')
  }
  return sameBytes(plan.subarray(0, known.length), known) ? plan.subarray(known.length) : undefined
}

export function damageEvent(damage: JournalDamage, where: string): RunEvent {
  const { lines, bytes, line, why } = damage
  const detail = `${why} at line ${line}: its last ${lines} lines (${bytes} bytes) were dropped, what they told is done again`
  return { type: 'warning', at: 0, code: 'host.journal_damaged', where, detail }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
