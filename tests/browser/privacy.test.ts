/** What a page keeps of keys, prompts and answers: nothing, in no storage and no address. And the relay, which has the keys alone. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { projectPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import { goodKey, startProviders, strictProfile, type ProviderServer } from './provider-server.js'

const canary = 'canary-prompt-7f3a'
const planFor = (provider: string) => ({
  task_id: 'private',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: `say ${canary}`, dependencies: [], provider }],
})

describeInBrowser('what is private stays so', () => {
  const home = mkdtempSync(join(tmpdir(), 'aetherflow-relay-'))
  let server: PageServer
  let providers: ProviderServer
  let open: OpenPage
  let relay: ChildProcess | undefined
  beforeAll(async () => {
    server = await PageServer.start()
    providers = await startProviders(strictProfile())
    open = await openPage(server.page('api'))
  }, 60_000)
  afterAll(async () => {
    relay?.kill()
    await Promise.all([server?.close(), providers?.close()])
    rmSync(home, { recursive: true, force: true })
  })

  test.each([true, false] as const)('nothing is left in the page after a run, worker: %s', async (worker) => {
    const left = await open.page.evaluate(
      async ([plan, config, key, worker]) => {
        const { outputs } = await api.runPlan(plan, { config, worker, keys: () => key })
        const databases = await indexedDB.databases()
        const addresses = performance.getEntriesByType('resource').map(({ name }) => name)
        return {
          answer: outputs.get('a') ?? '',
          stored: localStorage.length + sessionStorage.length + databases.length + (await caches.keys()).length,
          cookie: document.cookie,
          history: history.length,
          words: [location.href, document.referrer, ...addresses, document.documentElement.outerHTML].join('\n'),
        }
      },
      [planFor('groq'), providers.config, goodKey, worker] as const,
    )
    expect(left.answer.length).toBeGreaterThan(20)
    expect([left.stored, left.cookie]).toEqual([0, ''])
    expect(left.words).not.toContain(goodKey)
    expect(left.words).not.toContain(canary)
    const asked = [...server.asked, ...providers.asked.map(({ url }) => url)].join('\n')
    expect(asked).not.toContain(goodKey)
    expect(asked).not.toContain(canary)
    expect(open.complaints).toEqual([])
    const { origins } = await open.context.storageState({ indexedDB: true })
    expect(origins).toEqual([])
  })

  test('through the relay of the examples a page needs no key, and gets none', async () => {
    mkdirSync(join(home, 'aetherflow'))
    const keyed = Object.entries(providers.config.providers).map(([id, more]) => [id, { ...more, key: goodKey }])
    writeFileSync(
      join(home, 'aetherflow', 'config.json'),
      JSON.stringify({ providers: Object.fromEntries(keyed) as object }),
    )
    relay = spawn(process.execPath, [projectPath('examples/browser/relay.mjs')], {
      env: { ...process.env, NODE_OPTIONS: '', XDG_CONFIG_HOME: home, RELAY_ORIGIN: server.origin, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = await new Promise<string>((resolve, reject) => {
      relay?.stdout?.once('data', (data: Buffer) => resolve(String(data)))
      relay?.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)))
    })
    const address = /http:\S+/.exec(said)?.[0] ?? ''
    const before = providers.asked.length
    for (const id of ['deepseek', 'gemini', 'groq', 'mistral', 'openai']) {
      const told = await open.page.evaluate(
        async ([plan, config, relay, id]) => {
          const texts: string[] = []
          const result = await api.runPlan(plan, { config, relay, onText: (_, piece) => texts.push(piece) })
          const { cors, status } = await api.probeCors(id, { config, relay })
          return [result.outcome, texts.join('').length > 20, cors, status]
        },
        [planFor(id), providers.config, address, id] as const,
      )
      // The probe asks for the models, which the relay does not forward, and says so.
      expect([id, ...told]).toEqual([id, 'ok', true, 'open', 405])
    }
    const asked = providers.asked.slice(before)
    expect(asked.length).toBe(5)
    expect(asked.filter(({ headers }) => JSON.stringify(headers).includes(goodKey)).length).toBe(5)
    // Anyone who comes from elsewhere is refused.
    const stranger = await fetch(`${address}/groq/groq/v1/models`, { headers: { origin: 'http://elsewhere.invalid' } })
    expect([stranger.status, await stranger.text()]).toEqual([403, ''])
    // The page itself gets completions and nothing else that a key opens: no other method, path, host or trick of either.
    const reached = providers.asked.length
    const ask = async (method: string, path: string) =>
      (await fetch(`${address}/${path}`, { method, headers: { origin: server.origin } })).status
    const completion = new URL(providers.config.providers['groq']?.baseUrl ?? '').pathname + '/chat/completions'
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
      expect([method, await ask(method, `groq${completion}`)]).toEqual([method, 405])
    }
    const gemini = new URL(providers.config.providers['gemini']?.baseUrl ?? '').pathname
    for (const path of [
      ...['files', 'models', 'batches', 'fine_tuning/jobs', 'chat/completions/x', 'x?/chat/completions'].map(
        (end) => `groq${completion.replace('chat/completions', end)}`,
      ),
      ...['cachedContents', 'models/m:countTokens', 'models/m:batchGenerateContent', 'models/a/b:generateContent'].map(
        (end) => `gemini${gemini}/${end}`,
      ),
      'groq/elsewhere/chat/completions',
      'groq//elsewhere.invalid/chat/completions',
    ]) {
      expect([path, await ask('POST', path)]).toEqual([path, 404])
    }
    expect(await ask('POST', `nobody${completion}`)).toBe(403)
    expect(providers.asked.length).toBe(reached)
  }, 30_000)
})
