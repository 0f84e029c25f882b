/** `aetherflow providers` and what it asks of providers, against the simulator and wrong hosts on loopback sockets. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { probeProvider, type Probe } from '../../node/provider-probe.js'
import { pooledTransport } from '../../node/transport/transport.js'
import { FakeClock, settled } from '../sim/fake-clock.js'
import { json, startScriptedServer, type Script } from '../sim/scripted-server.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const canary = 'canary-4f1c9b77e2d0a6'
let scratched: ReturnType<typeof scratch>
beforeEach(() => void (scratched = scratch()))
afterEach(() => scratched.remove())

interface Listed {
  readonly id: string
  readonly keyPresent: boolean
  readonly probe: (Omit<Probe, 'models'> & { readonly balance?: unknown }) | null
  readonly otherModels: number | null
  readonly models: readonly { readonly id: string; readonly live: boolean | null; readonly asOf: string | null }[]
}
const listed = (stdout: string) => JSON.parse(stdout) as { providers: Listed[]; simulated?: string }

/** Asks one provider that plays `script`. */
async function probing(
  script: Script,
  dialect = 'generic',
  base = '',
  clock?: FakeClock,
): Promise<Probe & { paths: string[]; key: unknown }> {
  const server = await startScriptedServer(script)
  const transport = pooledTransport()
  try {
    const entry = { id: 'own', name: 'Own', dialect, baseUrl: `${server.url}${base}`, keyEnv: '', key: canary }
    const probe = probeProvider(entry, { transport, ...(clock && { clock }) })
    if (clock) {
      while (server.received.length === 0) await settled()
      await clock.advance(5000)
    }
    const headers = (await probe) && server.received[0]?.headers
    return {
      ...(await probe),
      paths: server.received.map(({ path }) => path).sort(),
      key: headers?.authorization ?? headers?.['x-goog-api-key'],
    }
  } finally {
    await transport.close()
    await server.close()
  }
}

describe('asking a provider', () => {
  test('its models and how long it took', async () => {
    const seen = await probing(
      (out) => json(out, 200, { object: 'list', data: [{ id: 'a' }, { id: 'b' }, {}, null] }),
      'openai',
      '/v1/',
    )
    expect(seen).toMatchObject({ reachable: true, models: ['a', 'b'], paths: ['/v1/models'], key: `Bearer ${canary}` })
    expect(seen.ms).toBeGreaterThanOrEqual(0)
    expect(seen).not.toHaveProperty('failure')
  })
  test('Gemini`s own list, with its own header', async () => {
    const seen = await probing(
      (out) => json(out, 200, { models: [{ name: 'models/gemini-3.8-flash' }] }),
      'gemini',
      '/v1beta',
    )
    expect(seen).toMatchObject({ models: ['gemini-3.8-flash'], paths: ['/v1beta/models?pageSize=1000'], key: canary })
  })
  test('DeepSeek`s balance, whichever base is configured; its models even when that fails', async () => {
    const infos = [{ currency: 'CNY', total_balance: '110.00' }, { currency: 7 }]
    const script: Script = (out, { path: asked }) =>
      json(out, 200, asked.endsWith('/models') ? { data: [{ id: 'deepseek-flash' }] } : { balance_infos: infos })
    for (const base of ['', '/v1'])
      expect(await probing(script, 'deepseek', base)).toMatchObject({
        balance: [{ currency: 'CNY', total: '110.00' }],
        paths: [`${base}/models`, '/user/balance'].sort(),
      })
    const broken: Script = (out, { path: asked }) =>
      asked.endsWith('/models') ? json(out, 200, { data: [{ id: 'deepseek-flash' }] }) : json(out, 500, '')
    expect(await probing(broken, 'deepseek')).toMatchObject({ reachable: true, models: ['deepseek-flash'] })
  })
  test.each([
    ['a refused key', 401, { error: { message: canary, code: canary } }, { kind: 'auth', status: 401 }],
    ['no list', 404, '', { kind: 'not_found', status: 404 }],
    ['a broken host', 500, '<html>', { kind: 'server_error', status: 500 }],
    ['a page instead', 200, '<html>', { kind: 'malformed', status: 200 }],
    ['a redirect', 302, '', { kind: 'not_found', status: 302 }],
  ])('%s: it is there, and why it gave none', async (_, status, body, failure) => {
    const seen = await probing((out) => json(out, status, body, status === 302 ? { location: '/login' } : {}))
    expect(seen).toMatchObject({ reachable: true, failure, paths: ['/models'] })
    expect(JSON.stringify({ ...seen, key: '' })).not.toContain(canary)
  })
  test.each([[{}], [{ data: 'x' }], [7]])('a shape that says nothing (%j)', async (body) => {
    const seen = await probing((out) => json(out, 200, JSON.stringify(body)))
    expect(seen).toMatchObject({ reachable: true })
    expect(seen).not.toHaveProperty('models')
  })
  test('no answer within five seconds, on a clock that is moved by hand', async () => {
    const seen = await probing(() => undefined, 'generic', '', new FakeClock())
    expect(seen).toMatchObject({ reachable: false, ms: 5000, failure: { kind: 'timeout_total' } })
  })
  test('nobody there, and an address that is none', async () => {
    const transport = pooledTransport()
    const entry = { id: 'own', name: 'Own', dialect: 'generic', keyEnv: '', key: canary }
    const nobody = await probeProvider({ ...entry, baseUrl: 'http://127.0.0.1:1' }, { transport })
    expect(nobody).toMatchObject({ reachable: false, failure: { kind: 'unreachable' } })
    const none = await probeProvider({ ...entry, baseUrl: `https://user:${canary}@x` }, { transport })
    expect(none).toMatchObject({ reachable: false, failure: { kind: 'bad_request' } })
    await transport.close()
  })
})

describe('the command', () => {
  test('against the simulator: all answer, with their models, prices and the balance', async () => {
    const { code, stdout, stderr } = await aetherflow(['providers', '--simulate', 'instant', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const { providers, simulated } = listed(stdout)
    expect(simulated).toBe('instant')
    expect(providers.map(({ id }) => id).sort()).toEqual(['deepseek', 'gemini', 'groq', 'mistral', 'openai'])
    for (const { probe, models, otherModels } of providers) {
      expect(probe).toMatchObject({ reachable: true, ms: expect.any(Number) })
      expect(models.every(({ live, asOf }) => live === true && /^\d{4}-/.test(asOf ?? ''))).toBe(true)
      expect(otherModels).toBeGreaterThanOrEqual(0)
    }
    expect(providers.find(({ id }) => id === 'deepseek')!.probe!.balance).toEqual([
      { currency: 'USD', total: expect.stringMatching(/^\d/) },
    ])
  })
  test('its lines stay within 80 columns and say that they are simulated', async () => {
    const { stdout } = await aetherflow(['providers', '--simulate'], '', { env: { COLUMNS: '80' } })
    const answers = stdout.split('\n').filter((line) => line.includes('answers in'))
    expect(answers).toHaveLength(5)
    expect(stdout).toMatch(/\n {2}balance [\d.]+ USD \(simulated: default\)\n/)
    for (const line of answers) {
      expect(line).toMatch(/, \d of \d models there, \d others \(simulated: default\)$/)
      expect(line.length).toBeLessThanOrEqual(80)
    }
  })
  test('no key or offline: nobody is asked', async () => {
    const asked: string[] = []
    const server = await startScriptedServer((out, { path: at }) => {
      asked.push(at)
      json(out, 401, { error: { message: `wrong ${canary}` } })
    })
    try {
      const config = path.join(scratched.folder, 'config.json')
      writeFileSync(config, JSON.stringify({ providers: { groq: { baseUrl: server.url } } }))
      const words = ['providers', '--config', config, '--json']
      const env = { GROQ_API_KEY: canary }
      const runs = [aetherflow(words), aetherflow([...words, '--offline'], '', { env }), aetherflow(words, '', { env })]
      const [without, offline, withKey] = (await Promise.all(runs)).map(({ stdout }) => stdout)
      for (const stdout of [without!, offline!])
        expect(listed(stdout).providers.map(({ probe }) => probe)).toEqual([null, null, null, null, null])
      const groq = listed(withKey!).providers.find(({ id }) => id === 'groq')
      expect(groq).toMatchObject({
        keyPresent: true,
        otherModels: null,
        probe: { reachable: true, failure: { kind: 'auth', status: 401 } },
      })
      expect(groq!.models.every(({ live }) => live === null)).toBe(true)
      expect(asked).toEqual(['/models'])
      const plain = await aetherflow(['providers', '--config', config], '', { env })
      expect(plain.stdout).toContain('  refuses: auth (401)\n')
      expect(withKey! + plain.stdout + plain.stderr).not.toContain(canary)
    } finally {
      await server.close()
    }
  })
  test('an unknown profile is a wrong use', async () => {
    const { code, stderr } = await aetherflow(['providers', '--simulate', 'nonsense'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error host\.usage/)
  })
})
