import type { FailureTable } from './table.js'

export const groqFailures: FailureTable = {
  words: {
    capacity_exceeded: 'overloaded',
    // The answer was checked against JSON there and refused: a repair can help, the same call again hardly.
    json_validate_failed: 'constraint_violated',
  },
  statuses: {
    424: 'server_error', // something that it depends on
    498: 'overloaded', // flex tier without capacity
    499: 'server_error', // cancelled on its side, not ours
  },
}
