/** Runs whose calls a test answers, and what their checks found. */
import type { RunEvent } from '../../bindings/events.js'
import type { CallTicket, Performer } from '../../bindings/performer.js'
import { runPlan, type RunPlanOptions } from '../../node/index.js'

/** Plays calls: `answer` says what to each ticket. */
export const playing = (answer: (ticket: CallTicket) => string): Performer & { tickets: CallTicket[] } => {
  const tickets: CallTicket[] = []
  return {
    tickets,
    perform: (ticket) => {
      tickets.push(ticket)
      return Promise.resolve({ text: answer(ticket), usage: undefined, finish: 'stop' })
    },
  }
}
export const step = (id: string, more: object = {}): object => ({
  id,
  type: 'code_generation',
  description: `write ${id}`,
  ...more,
})
export const planOf = (...steps: object[]): string => JSON.stringify({ task_id: 't', description: 'd', steps })

export async function played(plan: string, answer: (ticket: CallTicket) => string, options: RunPlanOptions = {}) {
  const events: RunEvent[] = []
  const performer = playing(answer)
  const result = await runPlan(plan, { config: {}, performer, onEvent: (event) => events.push(event), ...options })
  const checked = events.filter((event) => event.type === 'checked')
  return { result, events, checked, tickets: performer.tickets }
}
export const verdicts = (checked: RunEvent[]): [string, boolean][] =>
  checked.flatMap((event) => (event.type === 'checked' ? [[event.purpose, event.pass]] : []))
