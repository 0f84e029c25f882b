import type { FailureTable } from './table.js'

export const groqFailures: FailureTable = {
  messages: [[/request too large for model/i, 'too_large']],
  words: {
    capacity_exceeded: 'overloaded',
    model_decommissioned: 'not_found',
    // The answer was checked against JSON there and refused: a repair can help, the same call again hardly.
    json_validate_failed: 'constraint_violated',
  },
  statuses: {
    424: 'server_error', // something that it depends on
    498: 'overloaded', // flex tier without capacity
    499: 'server_error', // cancelled on its side, not ours
  },
}
