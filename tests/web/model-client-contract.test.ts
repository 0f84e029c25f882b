/** Every client passes the published suite, before the simulator that speaks its provider's wire format. */
import { describe, expect, test } from '@jest/globals'
import { clientFor } from '../../web/standard/providers/clients.js'
import {
  createSimulator,
  simulatedProviders,
  simulatorProfiles,
  type InjectableFailure,
  type SimulatedProvider,
} from '../../web/standard/simulator/index.js'
import { modelClientContract, type ClientBehaviour } from '../../web/standard/testing/index.js'

const failures: Readonly<Record<ClientBehaviour, InjectableFailure | undefined>> = {
  answers: undefined,
  rate_limited: 'rate_limited',
  server_error: 'server_error',
  breaks: 'truncated',
  hangs: 'timeout_first_token',
}
const key = 'sk-contract-3f9a77c0d1'

function open(dialect: string, as: SimulatedProvider, behaviour: ClientBehaviour) {
  const { instant } = simulatorProfiles
  const kind = failures[behaviour]
  const own = { ...instant.providers[as], ...(kind === undefined ? {} : { failures: [{ kind, share: 1 }] }) }
  const { fetch } = createSimulator({ ...instant, providers: { ...instant.providers, [as]: own } })
  let asked = 0
  const client = clientFor(dialect, {
    baseUrl: `https://simulated.invalid/${as}/${as === 'gemini' ? 'v1beta' : 'v1'}`,
    key: () => key,
    fetch: (input, init) => {
      asked += 1
      return fetch(input, init)
    },
  })
  if (client === undefined) throw new Error(`no client for ${dialect}`)
  return Promise.resolve({ client, key, model: 'any-model', asked: () => asked, end: () => Promise.resolve() })
}

for (const id of simulatedProviders)
  modelClientContract(`the client of ${id}`, (behaviour) => open(id, id, behaviour), { describe, expect, test })
modelClientContract('a client of any host', (behaviour) => open('generic', 'openai', behaviour), {
  ...{ describe, expect, test },
})
