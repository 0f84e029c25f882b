/** What every host asks of a run that goes on from its journal. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent } from '../../../bindings/events.js'
import type { JournalDamage } from '../../../bindings/journal/reader.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'
import type { PlanSettings } from './setup.js'

const lasting = ['mode', 'concurrency', 'strip', 'optimize', 'seed'] as const

/** Fails with host.usage for options that the run did not begin with. `begin`: its options document; undefined: there is none. */
export function mustAgree(options: PlanSettings, begin: unknown): void {
  if (begin === undefined) return
  if (Object.keys(options.policy ?? {}).length > 0) {
    const detail = 'a run goes on with the limits and budgets that it began with; --reuse begins a new one'
    throw new AetherflowError('host.usage', '--resume', detail)
  }
  for (const name of lasting) {
    const [asked, was] = [options[name], (begin as PlanSettings)[name]]
    if (asked === undefined || JSON.stringify(asked) === JSON.stringify(was)) continue
    const detail = `the run began with ${was === undefined ? 'the default' : JSON.stringify(was)}, and goes on with that`
    throw new AetherflowError('host.usage', `--${name}`, detail)
  }
}

/** A run goes on with the providers that it began with: the core's decisions rest on them. Fails: host.config. */
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

/** Whether two plan texts say the same. */
export function samePlan(one: Uint8Array, other: Uint8Array): boolean {
  if (sameBytes(one, other)) return true
  try {
    const [first, second] = [one, other].map((bytes) => canonical(JSON.parse(new TextDecoder().decode(bytes))))
    return first === second
  } catch {
    return false
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

/** JSON with the members of objects in order: the same value, the same text. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`
}
