/** Plans that spread, with answers that are told beforehand. */
import type { CallTicket, Performer } from '../../bindings/performer.js'
import type { RunEvent } from '../../bindings/events.js'
import type { Plan, Step } from '../../bindings/plan.js'
import { runPlan, type RunPlanOptions } from '../../node/index.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { usage } from './patterns-play.js'

export const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  type: 'analysis',
  description: `do ${id}`,
  ...more,
})
export const planOf = (...steps: readonly Step[]): Plan => ({ task_id: 't', description: 'd', steps })

/** By step: its answer; undefined: the call fails for good. */
export type Answers = (id: string) => string | undefined

export async function playedPlan(plan: Plan, answer: Answers, options: RunPlanOptions = {}) {
  const prompts = new Map<string, string>()
  const events: RunEvent[] = []
  const performer: Performer = {
    async perform({ step: { id }, call, dependencies }: CallTicket, _progress, core) {
      prompts.set(id, core.prompt(call, { dependencies }).user)
      await Promise.resolve()
      const text = answer(id)
      if (text === undefined) throw new CallFailure('auth', 'refused')
      return { text, usage, finish: 'stop' }
    },
  }
  const result = await runPlan(plan, {
    performer,
    config: {},
    ...options,
    onEvent: (event) => {
      events.push(event)
      options.onEvent?.(event)
    },
  })
  const states = Object.fromEntries(
    result.report.steps.map(({ id, state, reason }) => [id, [state, reason].filter(Boolean).join(' ')]),
  )
  return { ...result, prompts, events, states }
}
