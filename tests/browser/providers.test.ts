/** Providers called from a page, over real cross-origin requests: what may be sent, what can be read, what the failures say. */
import { createServer as createHost } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import { goodKey, startProviders, strictProfile, type ProviderServer } from './provider-server.js'

const ids = ['deepseek', 'gemini', 'groq', 'mistral', 'openai']
const planFor = (provider: string) => ({
  task_id: 'one',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'say hello', dependencies: [], provider }],
})
const refusedOnce = { script: ['rate_limited'] as const }

describeInBrowser('providers from a page', () => {
  const closing: { close(): Promise<void> }[] = []
  let server: PageServer
  let providers: ProviderServer
  let open: OpenPage
  const started = async (...args: Parameters<typeof startProviders>) => {
    const made = await startProviders(...args)
    closing.push(made)
    return made
  }
  beforeAll(async () => {
    server = await PageServer.start()
    closing.push(server)
    providers = await started(strictProfile())
    open = await openPage(server.page('api'))
  }, 60_000)
  afterAll(() => Promise.all(closing.map((one) => one.close())))

  /** Runs the plan in the page, in its worker. */
  const run = (plan: object, { config }: ProviderServer, key: string) =>
    open.page.evaluate(
      async ([plan, config, key]) => {
        const notes: string[] = []
        const messages: string[] = []
        const result = await api.runPlan(plan as Record<string, unknown>, {
          config: { ...config, retry: { attempts: 2, baseMs: 100 } },
          keys: async () => key,
          onEvent: (event) => {
            if (event.type === 'note') notes.push(`${event.reason} ${event.detail ?? ''}`)
            if (event.type === 'failed') messages.push(`${event.failure}: ${event.message}`)
          },
        })
        const { outcome, thread, report } = result
        return { outcome, thread, notes, messages, reuse: report.connectionReuseRate }
      },
      [plan, config, key] as const,
    )

  test.each(ids)('%s answers, and gets only the headers that it lets a page send', async (id) => {
    const before = providers.asked.length
    expect(await run(planFor(id), providers, goodKey)).toMatchObject({ outcome: 'ok', thread: 'worker' })
    const asked = providers.asked.slice(before)
    expect(asked.map(({ method }) => method)).toEqual(['OPTIONS', 'POST'])
    const usual = id === 'gemini' ? 'content-type,x-goog-api-key' : 'authorization,content-type'
    const keyed = id === 'openai'
    expect(asked[0]?.headers['access-control-request-headers']).toBe(keyed ? `${usual},idempotency-key` : usual)
    expect(asked[1]?.headers['idempotency-key'] ?? '').toMatch(keyed ? /^[\da-f]{32}$/ : /^$/)
    expect(asked.map(({ url }) => url).join()).not.toContain(goodKey)
    expect(asked[1]?.headers['referer']).toBeUndefined()
  })

  test.each(ids)('%s: a refused key is told as well as a page can know', async (id) => {
    const { outcome, messages } = await run(planFor(id), providers, 'wrong-key-0123456789')
    expect(outcome).toBe('steps_failed')
    if (id === 'openai') expect(messages.join()).toMatch(/^unreachable: .*network error or a wrong key/)
    else expect(messages.join()).toMatch(/^auth: (?:400|401)/)
    expect(messages.join()).not.toContain('wrong-key')
  })

  test.each([true, false] as const)(
    'keys are asked for when they are needed, and not kept, worker: %s',
    async (worker) => {
      const told = await open.page.evaluate(
        async ([plan, config, key, worker]) => {
          const asked: string[] = []
          const keys = (id: string) => {
            asked.push(id)
            return id === 'groq' ? key : ''
          }
          await api.runPlan(plan, { config, keys, worker })
          const all = asked.splice(0)
          await api.runPlan(plan, { config, keys, worker, providers: ['groq'] })
          return { all, named: asked }
        },
        [planFor('groq'), providers.config, goodKey, worker] as const,
      )
      expect([...new Set(told.all)].sort()).toEqual(ids)
      expect(told.all.filter((id) => id === 'groq').length).toBe(2)
      expect(told.named).toEqual(['groq'])
    },
  )

  test.each(['groq', 'gemini'])('%s: the wait is read from the body, as its headers are hidden', async (id) => {
    const limited = await started(strictProfile({ [id]: refusedOnce }))
    const { outcome, notes } = await run(planFor(id), limited, goodKey)
    expect(outcome).toBe('ok')
    // The back-off alone would be a tenth of a second.
    expect(notes.join()).toMatch(/waiting_for_cooldown \w+ \S+, until [2-9]\.\d s of the run/)
  })

  test('the report tells of connections where the host shows its times, and is silent where it does not', async () => {
    const steps = [0, 1, 2, 3].map((n) => ({
      ...planFor('groq').steps[0],
      id: `s${n}`,
      dependencies: n === 0 ? [] : [`s${n - 1}`],
    }))
    const chain = { ...planFor('groq'), steps }
    expect((await run(chain, providers, goodKey)).reuse).toBeNull()
    const timed = await started(strictProfile(), { timed: true })
    const { reuse } = await run(chain, timed, goodKey)
    expect(reuse).toBeGreaterThan(0)
    expect(reuse).toBeLessThanOrEqual(1)
  })

  /** `provider` at `baseUrl`, asked after from the page. */
  const probe = (provider: string, baseUrl: string, key?: string) =>
    open.page.evaluate(
      async ([provider, baseUrl, key]) => {
        const config = { providers: { [provider]: { baseUrl, dialect: provider === 'own' ? 'generic' : provider } } }
        const keys = key === undefined ? undefined : () => key
        const threads = await Promise.all(
          [true, false].map((worker) => api.probeCors(provider, { config, worker, keys })),
        )
        return threads
      },
      [provider, baseUrl, key] as const,
    )
  const both = (expected: object) => [expect.objectContaining(expected), expect.objectContaining(expected)]

  test.each(ids)('probeCors: %s is open with a good key', async (id) => {
    const found = await probe(id, providers.config.providers[id]!.baseUrl, goodKey)
    expect(found).toEqual(both({ reachable: true, cors: 'open', status: 200 }))
  })

  test('probeCors: a refusal that can be read is open, one that is hidden is not known', async () => {
    const at = (id: string) => providers.config.providers[id]!.baseUrl
    expect(await probe('groq', at('groq'), 'wrong')).toEqual(both({ reachable: true, cors: 'open', status: 401 }))
    expect(await probe('groq', at('groq'))).toEqual(
      both({ cors: 'open', why: expect.stringContaining('without a key') }),
    )
    const hidden = { reachable: true, cors: 'unknown', why: expect.stringContaining('wrong key') }
    expect(await probe('openai', at('openai'), 'wrong')).toEqual(both(hidden))
    expect(await probe('openai', at('openai'))).toEqual(
      both({ cors: 'unknown', why: expect.stringContaining('again') }),
    )
  })

  test('probeCors: a closed host, a dead one, one that the policy forbids', async () => {
    const closed = { reachable: true, cors: 'blocked', why: expect.stringContaining('relay') }
    expect(await probe('own', `${providers.url}/closed/v1`, 'x')).toEqual(both(closed))
    const dead = { reachable: false, cors: 'unknown', why: expect.stringContaining('nothing answers') }
    expect(await probe('own', `http://127.0.0.1:${await deadPort()}/v1`, 'x')).toEqual(both(dead))
    const forbidden = { reachable: false, cors: 'unknown', why: expect.stringContaining('connect-src') }
    expect(await probe('own', providers.url.replace('127.0.0.1', 'localhost'), 'x')).toEqual(both(forbidden))
    const unknown = open.page.evaluate(() => api.probeCors('nobody').catch((error) => error.code))
    expect(await unknown).toBe('route.unknown_provider')
  })

  test('an answer that was paid for and refused comes out of the worker, with the reason', async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 3 }
    const answer = { choices: [{ message: { content: 'no JSON at all' }, finish_reason: 'stop' }], usage }
    const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization,content-type' }
    const host = createHost((asked, reply) => {
      asked.resume()
      reply.writeHead(200, { ...cors, 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
    closing.push({ close: async () => void host.close() })
    const baseUrl = `http://127.0.0.1:${(host.address() as AddressInfo).port}/v1`
    const told = await open.page.evaluate(async (baseUrl) => {
      const rejected: [string, string, string][] = []
      const step = { id: 'a', type: 'analysis', description: 'say', dependencies: [], provider: 'own', output: 'json' }
      const own = { dialect: 'generic', baseUrl, default: 'm', models: { m: { in: 1, out: 1 } } }
      const { outcome, thread } = await api.runPlan(
        { task_id: 't', description: 'd', steps: [step] },
        {
          config: { providers: { own }, retry: { attempts: 1 }, repairs: 0 },
          keys: () => 'k',
          rejected: (info, text, why) => void rejected.push([info.id, text, why]),
        },
      )
      return { outcome, thread, rejected }
    }, baseUrl)
    expect(told).toMatchObject({ outcome: 'steps_failed', thread: 'worker' })
    expect(told.rejected[0]).toEqual(['a', 'no JSON at all', expect.stringMatching(/JSON/)])
  })
})

/** A port that nobody listens on any more. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
