/** Names for the numbers of command records. */
import {
  commandField as field,
  commandKinds,
  commandStride,
  purposes,
  reasons,
  type CommandKind,
  type Purpose,
  type Reason,
} from './generated/wire.js'

/** One decoded command; which members are set depends on `kind`, see base/vocabulary.def. −1 = not used. */
export interface Command {
  readonly kind: CommandKind
  readonly step: number
  readonly call: number
  readonly attempt: number
  readonly provider: number
  readonly model: number
  readonly purpose: Purpose
  readonly reason: Reason
  readonly at: number
  readonly a: number
  readonly b: number
  readonly c: number
}

/** Decodes a batch at once. */
export function decodeCommands(records: Float64Array): Command[] {
  const commands: Command[] = []
  for (let at = 0; at < records.length; at += commandStride) {
    const number = (index: number): number => records[at + index] ?? -1
    commands.push({
      kind: commandKinds[number(field.kind)] ?? 'note',
      step: number(field.step),
      call: number(field.call),
      attempt: number(field.attempt),
      provider: number(field.provider),
      model: number(field.model),
      purpose: purposes[Math.max(0, number(field.purpose))] ?? 'main',
      reason: reasons[Math.max(0, number(field.reason))] ?? 'none',
      at: number(field.at),
      a: number(field.a),
      b: number(field.b),
      c: number(field.c),
    })
  }
  return commands
}
