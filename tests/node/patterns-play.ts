/** Patterns whose answers are told beforehand. */
import type { CallTicket, Performer } from '../../bindings/performer.js'
import { runPattern, type PatternPlan, type RunPlanOptions } from '../../node/index.js'
import { CallFailure } from '../../web/standard/failure/failure.js'

export const usage = { input: 100, cached: 0, output: 20, reasoning: 0 }
export type Script = Readonly<Record<string, string | undefined>>

/** Says by step what the script has; undefined: the call fails for good. */
export function scripted(script: Script, other = 'an answer') {
  const asked: string[] = []
  const performer: Performer = {
    async perform({ step: { id } }: CallTicket) {
      asked.push(id)
      await Promise.resolve()
      const text = id in script ? script[id] : id === 'judge' ? 'the verdict' : `${other} of ${id}`
      if (text === undefined) throw new CallFailure('auth', 'refused')
      return { text, usage, finish: 'stop' }
    },
  }
  return { asked, performer }
}

export async function played(plan: PatternPlan, script: Script = {}, options: RunPlanOptions = {}) {
  const { asked, performer } = scripted(script)
  const result = await runPattern(plan, { performer, config: {}, ...options })
  return { ...result, asked }
}
export const topic = 'Is the earth round?'
export const turnsOf = (rounds: number, roles = 2): string[] =>
  Array.from({ length: rounds }, (_, at) => Array.from({ length: roles }, (_, by) => `r${at + 1}.${by + 1}`)).flat()
