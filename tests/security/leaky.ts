/** Every way in which a provider can fail or repeat what it was sent, as rules and steps of one plan. */
import { faults, retryAfterForms } from '../faults/catalogue.js'
import type { Rule } from '../faults/fault-server.js'
import { canary, step } from '../faults/host.js'
import { event, eventStream, refusal, type Fault } from '../faults/wire.js'

/** What stalls is given up after this; all steps of a run wait at once. */
export const timeouts = { connectMs: 4000, firstTokenMs: 4000, idleMs: 4000, totalMs: 25_000 }
export const promptCanary = 'the violet submarine ledger nobody may quote'

/** Providers that repeat what they were sent. */
const echoes: Readonly<Record<string, Fault>> = {
  echoHeader: refusal(401, { error: { message: `bad header: Authorization: Bearer ${canary}`, code: canary } }),
  echoType: refusal(400, { error: { message: 'no', type: canary, param: canary } }),
  echoText: refusal(403, `key ${canary} has no rights`),
  echoPage: refusal(502, `<html><title>${canary}</title></html>`),
  echoDetail: refusal(422, { detail: [{ loc: ['header', canary], msg: `value ${canary}`, input: canary }] }),
  echoTwice: refusal(400, { error: { message: `${canary}${canary} ${canary.slice(0, 12)}***` } }),
  echoPrompt: (asked) => refusal(400, { error: { message: `cannot read: ${promptCanary} ${asked.step}` } })(asked),
  echoInStream: () => ({
    headers: eventStream,
    parts: [event(`{"error":{"message":"${canary}","code":"${canary}"}}`)],
  }),
  echoRetry: refusal(429, { error: { message: canary } }, { 'retry-after': canary, 'x-request-id': canary }),
  echoRedirect: () => ({ status: 302, headers: { location: `http://127.0.0.1:1/?key=${canary}` }, parts: [] }),
  echoNotJson: () => ({ headers: eventStream, parts: [event(canary)], tokens: 0 }),
}
/** What only costs time here. */
const heavy = new Set(['endlessAnswer', 'endlessComments', 'endlessRefusal', 'hugeLine'])
const all: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(Object.entries(faults).filter(([name]) => !heavy.has(name))),
  ...echoes,
  ...Object.fromEntries(retryAfterForms.map(([name, fault]) => [`retry: ${name}`, fault])),
  ...Object.fromEntries([400, 404, 408, 409, 413, 500, 503, 529].map((status) => [`s${status}`, refusal(status)])),
}
export const names = Object.keys(all)
export const rules = (name: string): Rule => ({ step: name, name, fault: all[name] ?? faults.answer })
export const steps = names.map((name) => step(name, { description: `#step=${name}# ${promptCanary}` }))
