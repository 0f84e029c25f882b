/** Records of commands, decoded. What each carries is generated from core/base/vocabulary.def. */
import { commandStride, decodeCommand, type CallCommand, type Command, type DeliverCommand } from './generated/wire.js'
import {
  type CheckCommand,
  type ExpandCommand,
  type LookCommand,
  type NoteCommand,
  type RetrieveCommand,
  type StoreCommand,
} from './generated/wire.js'

export type {
  CallCommand,
  CheckCommand,
  Command,
  DeliverCommand,
  ExpandCommand,
  LookCommand,
  NoteCommand,
  RetrieveCommand,
  StoreCommand,
}

/** Decodes a batch at once. */
export function decodeCommands(records: Float64Array): Command[] {
  const commands: Command[] = []
  for (let from = 0; from < records.length; from += commandStride) {
    const command = decodeCommand(records, from)
    if (command !== undefined) commands.push(command)
  }
  return commands
}
