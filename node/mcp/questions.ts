/** What only the user can say: how much a run may cost, when neither the call nor the configuration does. Clients that can, ask. */
import { AetherflowError } from '../../bindings/errors.js'
import { inputRequired, inputResponse, type InputRequiredResult, type ServerContext } from './sdk.js'

const key = 'budget'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

interface Elicitation {
  readonly elicitation?: Readonly<Record<string, unknown>> | undefined
}

/** Whether the client of this request shows its user a form. `declared`: what it said when it connected, in the era of that. */
export function mayAsk({ mcpReq }: ServerContext, declared: Elicitation | undefined): boolean {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {}
  const { elicitation } = (envelope[capabilitiesKey] as Elicitation | undefined) ?? declared ?? {}
  // One that names no way means forms.
  return elicitation !== undefined && (elicitation['form'] !== undefined || elicitation['url'] === undefined)
}

/** `about`: what the run would be, for people. */
export const budgetQuestion = (about: string): InputRequiredResult =>
  inputRequired({
    inputRequests: {
      [key]: inputRequired.elicit({
        message: `${about} How much may it cost at most?`,
        requestedSchema: {
          type: 'object',
          properties: { budget_usd: { type: 'number', title: 'Budget in USD', minimum: 0 } },
          required: ['budget_usd'],
        },
      }),
    },
  })

/** The user's answer; undefined: nobody was asked. Fails: host.usage when there is none to go by. */
export function saidBudget({ mcpReq }: ServerContext): number | undefined {
  const response = inputResponse(mcpReq.inputResponses, key)
  if (response.kind === 'missing') return undefined
  const value =
    response.kind === 'elicit' && response.action === 'accept' ? response.content?.['budget_usd'] : undefined
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new AetherflowError('host.usage', 'budget_usd', 'the user was asked and gave no budget: nothing was started')
}
