/** Every failure that the simulated providers can play, over real cross-origin connections: a page reads it as Node does. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runPlan } from '../../node/index.js'
import type { RunEvent } from '../../bindings/events.js'
import { injectableFailures } from '../../web/standard/simulator/index.js'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import { goodKey, startProviders, strictProfile } from './provider-server.js'

const policy = {
  retry: { attempts: 2, baseMs: 20 },
  timeouts: { connectMs: 20_000, firstTokenMs: 5000, idleMs: 5000, totalMs: 60_000 },
}
const planFor = (provider: string) => ({
  task_id: 'one',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'say hello', dependencies: [], provider }],
})

/** What became of the step, in words without times. */
const said = (event: RunEvent): string[] => {
  if (event.type === 'note' && event.reason === 'retrying') return [`retrying ${event.detail?.split(';')[0]}`]
  return event.type === 'failed' ? [`failed ${event.failure}`] : []
}

/** OpenAI's refusal of a key is the one that a page cannot see; a connection that breaks is a test of its own. */
const unseen = (id: string, kind: string): boolean => (id === 'openai' && kind === 'auth') || kind === 'unreachable'
const cases = ['groq', 'gemini', 'openai']
  .flatMap((id) => injectableFailures.map((kind) => [id, kind] as const))
  .filter(([id, kind]) => !unseen(id, kind))

describeInBrowser('failures of providers', () => {
  let server: PageServer
  let open: OpenPage
  beforeAll(async () => {
    server = await PageServer.start()
    open = await openPage(server.page('api'))
  }, 60_000)
  afterAll(() => server?.close())

  async function inNode(provider: string, failure: string): Promise<string[]> {
    const providers = await startProviders(strictProfile({ [provider]: { script: [failure] } }))
    const words: string[] = []
    const keyed = { [provider]: { ...providers.config.providers[provider], key: goodKey } }
    const config = { ...policy, providers: keyed }
    const { outcome } = await runPlan(planFor(provider), { config, onEvent: (event) => words.push(...said(event)) })
    await providers.close()
    return [...words, outcome]
  }

  async function inPage(provider: string, failure: string): Promise<string[]> {
    const providers = await startProviders(strictProfile({ [provider]: { script: [failure] } }))
    const { events, outcome } = await open.page.evaluate(
      async ([plan, config, key, provider]) => {
        const events: unknown[] = []
        const keys = (id: string) => (id === provider ? key : undefined)
        const { outcome } = await api.runPlan(plan, { config, keys, onEvent: (event) => events.push(event) })
        return { events, outcome }
      },
      [planFor(provider), { ...policy, ...providers.config }, goodKey, provider] as const,
    )
    await providers.close()
    return [...(events as RunEvent[]).flatMap(said), outcome]
  }

  // All at once: most of them wait for something.
  const told = new Map<string, Promise<[string[], string[]]>>()
  beforeAll(() => {
    for (const [id, kind] of cases) told.set(`${id} ${kind}`, Promise.all([inNode(id, kind), inPage(id, kind)]))
  })
  test.each(cases)('%s: %s', async (provider, failure) => {
    const [here, there] = (await told.get(`${provider} ${failure}`))!
    expect(here.length).toBeGreaterThan(1)
    expect(there).toEqual(here)
  })

  test('a connection that was kept and breaks before the reply: the browser asks again by itself, unseen', async () => {
    const providers = await startProviders(strictProfile({ groq: { script: ['unreachable'] } }))
    const types = await open.page.evaluate(
      async ([plan, config, key]) => {
        const types: string[] = []
        await api.runPlan(plan, { config, keys: () => key, onEvent: ({ type }) => types.push(type) })
        return types
      },
      [planFor('groq'), { ...policy, ...providers.config }, goodKey] as const,
    )
    await providers.close()
    expect(types.filter((type) => type === 'call').length).toBe(1)
    expect(providers.asked.filter(({ method }) => method === 'POST').length).toBe(2)
  })
})
