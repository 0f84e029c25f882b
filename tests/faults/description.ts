/** Faults as plain JSON, for scripts that come from another process. */
import { cutOff, dripping, faults, rateLimited, redirect, stall, type FaultName } from './catalogue.js'
import type { Rule } from './fault-server.js'
import { answer, late, refusal, type Fault } from './wire.js'

export type FaultDescription =
  | FaultName
  | { readonly answer: string }
  | { readonly refuse: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly rateLimited: Readonly<Record<string, string>> }
  | { readonly cutOff: number; readonly ending: 'fin' | 'reset' }
  | { readonly stall: number }
  | { readonly dripMs: number; readonly length?: number }
  | { readonly redirect: number; readonly to: string }
  | { readonly lateMs: number; readonly then: FaultDescription }

export type RuleDescription = Omit<Rule, 'fault'> & { readonly fault: FaultDescription }

export function faultOf(description: FaultDescription): Fault {
  if (typeof description === 'string') return faults[description]
  if ('answer' in description) return answer(description.answer)
  if ('refuse' in description) return refusal(description.refuse, description.body, description.headers)
  if ('rateLimited' in description) return rateLimited(description.rateLimited)
  if ('cutOff' in description) return cutOff(description.cutOff, description.ending)
  if ('stall' in description) return stall(description.stall)
  if ('dripMs' in description) return dripping(description.dripMs, description.length)
  if ('redirect' in description) return redirect(description.redirect, description.to)
  return late(description.lateMs, faultOf(description.then))
}

export const ruleOf = ({ fault, ...rule }: RuleDescription): Rule => ({ ...rule, fault: faultOf(fault) })
