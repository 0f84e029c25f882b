// Hosts that people run themselves: what a preset says, what wins over it, and which keys are needed.
import { describe, expect, test } from '@jest/globals'
import { checkConfig, mergedEntries, patienceOf, withoutKeys, type Config } from '../../web/standard/config.js'
import { generic, lmstudio } from '../../web/standard/providers/generic.js'
import { presetNames } from '../../web/standard/presets.js'
import { json } from '../sim/scripted-server.js'
import { generate, modelRequest, withScript } from './call.js'

const defaults = { providers: { openai: { keyEnv: 'OPENAI_API_KEY', baseUrl: 'https://api.openai.com/v1' } } }
const entryOf = (provider: object, env: Record<string, string> = {}) =>
  mergedEntries(defaults, checkConfig({ providers: { p: provider } }), env).find(({ id }) => id === 'p')!

test.each(presetNames)('%s: an address, a format and a model out of its name alone', (preset) => {
  const config = checkConfig({ providers: { p: { preset, default: 'm' } } })
  const provider = (withoutKeys(config)['providers'] as Record<string, Record<string, unknown>>)['p']!
  expect(provider).toMatchObject({ default: 'm', models: { m: {} } })
  expect(provider).not.toHaveProperty('preset')
  expect(URL.canParse(String(provider['baseUrl']))).toBe(true)
})

test('own members win over a preset, for the provider and for each model', () => {
  const models = { a: { out: 3 }, b: {} }
  const { providers } = checkConfig({
    providers: { p: { preset: 'ollama', baseUrl: 'http://127.0.0.1:1/v1', models } },
  })
  expect(providers!['p']).toMatchObject({
    baseUrl: 'http://127.0.0.1:1/v1',
    models: { a: { in: 0, out: 3 }, b: { out: 0 } },
  })
})

test.each([{ preset: 'olama' }, { preset: 3 }, { preset: 'constructor' }])('%j is none', (provider) => {
  expect(() => checkConfig({ providers: { p: provider } })).toThrow(/no such preset.*ollama/)
})

describe('keys', () => {
  test('a host on this machine and one with keyEnv null need none, another does', () => {
    expect(entryOf({ baseUrl: 'http://localhost:1/v1' }).key).toBe('')
    expect(entryOf({ baseUrl: 'http://[::1]:1/v1' }).key).toBe('')
    expect(entryOf({ baseUrl: 'https://host.test/v1', keyEnv: null }).key).toBe('')
    expect(entryOf({ baseUrl: 'https://host.test/v1', keyEnv: 'X' }).key).toBeUndefined()
    expect(entryOf({ baseUrl: 'http://localhost.evil.test/v1' }).key).toBeUndefined()
  })

  test('one that is given is used all the same', () => {
    expect(entryOf({ baseUrl: 'http://localhost:1/v1', keyEnv: 'X' }, { X: 'k' }).key).toBe('k')
  })

  test('without one no header goes out', async () => {
    const answer = { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }
    await withScript(
      (out) => json(out, 200, answer),
      async ({ url, received }) => {
        expect(await generate(url, { key: () => '', keyless: true, dialect: generic })).toMatchObject({ text: 'hi' })
        expect(received[0]!.headers).not.toHaveProperty('authorization')
      },
    )
  })
})

test('patience: a model’s own, three times the usual for one that thinks, else none of its own', () => {
  const models = { own: { patienceMs: 7, thinks: 1 }, thinks: { thinks: 2 }, plain: {} }
  const config = { providers: { p: { models } }, timeouts: { firstTokenMs: 100 } } as unknown as Config
  const patience = patienceOf(defaults, config, 'p')
  expect(['own', 'thinks', 'plain', 'unknown'].map(patience)).toEqual([7, 300, undefined, undefined])
})

test('LM Studio: plain JSON is asked for as a schema', () => {
  const format = (dialect: typeof generic, kind: 'json' | 'text') =>
    dialect.body(modelRequest({ output: { kind } }))['response_format']
  expect(format(lmstudio, 'json')).toMatchObject({ type: 'json_schema' })
  expect(format(generic, 'json')).toEqual({ type: 'json_object' })
  expect([format(lmstudio, 'text'), format(generic, 'text')]).toEqual([undefined, undefined])
})
