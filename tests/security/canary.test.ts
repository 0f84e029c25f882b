/** A key must be absent from every artefact and error, whatever the provider does with it. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { runPlan, type Config } from '../../node/index.js'
import { CallFailure } from '../../web/standard/failure.js'
import { createOpenAiCompatible, generic } from '../../web/standard/providers/index.js'
import { faults, retryAfterForms } from '../faults/catalogue.js'
import { FaultServer, type Rule } from '../faults/fault-server.js'
import { canary, configOf, once, plan, run, step } from '../faults/host.js'
import { digestOf } from '../faults/ledger.js'
import { event, eventStream, refusal, type Fault } from '../faults/wire.js'
import { aetherflow, scratch } from '../node/cli-process.js'
import { disguises, everything, filesBelow, leaks } from './secrets.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

/** What stalls is given up after this; all steps of a run wait at once. */
const timeouts = { connectMs: 4000, firstTokenMs: 4000, idleMs: 4000, totalMs: 60_000 }
const promptCanary = 'the violet submarine ledger nobody may quote'

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
const all: Readonly<Record<string, Fault>> = {
  ...faults,
  ...echoes,
  ...Object.fromEntries(retryAfterForms.map(([name, fault]) => [`retry: ${name}`, fault])),
  ...Object.fromEntries([400, 404, 408, 409, 413, 500, 503, 529].map((status) => [`s${status}`, refusal(status)])),
}
const names = Object.keys(all)
const rules = (name: string): Rule => ({ step: name, name, fault: all[name] ?? faults.answer })
const steps = names.map((name) => step(name, { description: `#step=${name}# ${promptCanary}` }))

let server: FaultServer
beforeAll(async () => void (server = await FaultServer.start()))
afterAll(() => server.close())

describe('the search itself', () => {
  test('finds a key in hidden places', () => {
    const error = new Error('x', { cause: { deep: [new Map([['a', canary]])] } })
    Object.defineProperty(error, 'hidden', { value: canary, enumerable: false })
    expect(leaks(everything(error), canary).length).toBeGreaterThan(0)
    expect(leaks(everything(new Error('x', { cause: new Error(canary) })), canary)).not.toEqual([])
    for (const disguise of disguises(canary)) expect(leaks(`a${disguise}b`, canary)).not.toEqual([])
  })
})

describe('the library', () => {
  test('a success and every failure: events, texts, result, report', async () => {
    server.script(names.map(rules))
    const policy = { timeouts, ...once, repairs: 0 }
    const ran = await run(server, plan(...steps), { policy, providers: { alpha: { concurrency: 64 } } })
    expect(server.ledger.entries.length).toBe(names.length)
    // The key was in fact used.
    expect(new Set(server.ledger.entries.map(({ credential }) => credential))).toEqual(
      new Set([digestOf(`Bearer ${canary}`)]),
    )
    expect(ran.report.counts.failed).toBeGreaterThan(30)
    expect(ran.report.counts.done).toBeGreaterThan(5)
    expect(leaks(everything(ran), canary)).toEqual([])
    expect(leaks(JSON.stringify(ran.report), canary)).toEqual([])
    expect(everything(ran.events.filter(({ type }) => type === 'failed'))).not.toContain(promptCanary)
  })

  test('what a client throws: every member, the stack, no cause', async () => {
    server.script(names.map(rules))
    for (const stream of [true, false]) {
      const client = createOpenAiCompatible({
        fetch: (input, init) => fetch(input, init),
        baseUrl: server.at('alpha'),
        key: () => canary,
        dialect: generic,
        timeouts: { ...timeouts, totalMs: 6000 },
      })
      const output = { kind: 'any' } as const
      const request = { model: 'm', system: '', maxOutputTokens: 9, output, stream }
      const thrown = await Promise.all(
        names.map((name) =>
          client.generate({ ...request, user: `#step=${name}# ${promptCanary}` }, new AbortController().signal).then(
            () => undefined,
            (error: unknown) => error,
          ),
        ),
      )
      for (const error of thrown.filter((each) => each !== undefined)) {
        expect(error).toBeInstanceOf(CallFailure)
        expect((error as Error).cause).toBeUndefined()
        expect(leaks(everything(error), canary)).toEqual([])
        expect(everything(error)).not.toContain(promptCanary)
      }
    }
  })

  test.each([
    ['a line break in the key', { key: `${canary}\r\nx-more: 1` }],
    ['a character that no header carries', { key: `${canary}…` }],
    ['an address with the key as its password', { baseUrl: `http://user:${canary}@127.0.0.1:9/v1` }],
    ['an address with the key in its query', { baseUrl: `http://127.0.0.1:9/v1?key=${canary}` }],
    ['an address that is none', { baseUrl: `http://[${canary}` }],
    ['the key where another member belongs', { concurrency: canary }],
    ['the key as the name of a member', { [canary]: 1, models: canary }],
    ['the key as a dialect', { dialect: canary }],
  ])('%s: the error does not tell it', async (_, changes) => {
    const options = { config: configOf(server, { providers: { alpha: changes } }) }
    const outcome: unknown = await runPlan(plan(step('a')), options).then(
      (result) => result,
      (error: unknown) => error,
    )
    expect(leaks(everything(outcome), canary)).toEqual([])
    // Whatever a configuration holds: a caller gets a coded error.
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: expect.stringMatching(/^\w+\.\w+$/) })
  })

  test('the core is told no key', async () => {
    const seen: string[] = []
    const config = configOf(server) as Config
    const performer = { perform: () => Promise.resolve({ text: 'x', usage: undefined, finish: 'stop' as const }) }
    const result = await runPlan(plan(step('a')), { config, performer, onEvent: (one) => seen.push(everything(one)) })
    expect(leaks(everything(result) + seen.join(''), canary)).toEqual([])
  })
})

describe('the command line', () => {
  const { folder, remove } = scratch()
  afterAll(remove)
  const planFile = path.join(folder, 'plan.json')
  const configFile = path.join(folder, 'config.json')
  const env = { AETHERFLOW_DEBUG: '1', BETA_KEY: canary, GEMINI_API_KEY: canary, FORCE_COLOR: '1' }

  beforeAll(() => {
    server.script(names.map(rules))
    const inFile = { alpha: { concurrency: 64 }, beta: { keyEnv: 'BETA_KEY', key: undefined, concurrency: 64 } }
    const config = configOf(server, { policy: { timeouts, ...once, repairs: 0 }, providers: inFile })
    writeFileSync(configFile, JSON.stringify(config))
    const viaBeta = steps.map((each) => ({ ...each, id: `${(each as { id: string }).id} again`, provider: 'beta' }))
    writeFileSync(planFile, JSON.stringify(plan(...steps, ...viaBeta)))
  })

  test('run, plain, --json and --quiet: the screen and every file of the folder', async () => {
    const runs = ['plain', '--json', '--quiet'].map(async (flag) => {
      const out = path.join(folder, `out${flag}`)
      const flags = flag === 'plain' ? [] : [flag]
      const words = ['run', planFile, '--config', configFile, '--output', out, ...flags]
      return { out, ...(await aetherflow(words, '', { env })) }
    })
    for (const { out, code, stdout, stderr } of await Promise.all(runs)) {
      expect(code).toBe(1)
      expect(leaks(stdout + stderr, canary)).toEqual([])
      const files = filesBelow(out)
      expect([...files.keys()]).toEqual(expect.arrayContaining(['run.json', 'report.md', 'step_outputs/answer.md']))
      expect([...files].filter(([name, text]) => leaks(name + text, canary).length > 0)).toEqual([])
    }
    // Both keys, that of the file and that of the environment, were sent where they belong.
    for (const provider of ['alpha', 'beta']) expect(server.ledger.to(provider).length).toBeGreaterThan(names.length)
  })

  test.each([
    ['check', planFile],
    ['explain', planFile, '--config', configFile],
    ['explain', planFile, '--config', configFile, '--json'],
    ['providers', '--config', configFile],
    ['providers', '--config', configFile, '--json'],
    ['generate', '#step=echoHeader# hello', '--config', configFile],
    ['run', '--config', configFile, 'absent.json'],
    ['run', planFile, '--config', planFile],
  ])('%s (%#)', async (...words) => {
    const { stdout, stderr } = await aetherflow(words, '', { env })
    expect(stdout + stderr).not.toBe('')
    expect(leaks(stdout + stderr, canary)).toEqual([])
  })

  test('a configuration that cannot be read is not quoted', async () => {
    const broken = path.join(folder, 'broken.json')
    for (const text of [`{"providers":{"alpha":{"key":"${canary}"`, `"${canary}"`, `{"providers":"${canary}"}`]) {
      writeFileSync(broken, text)
      const { code, stdout, stderr } = await aetherflow(['run', planFile, '--config', broken], '', { env })
      expect([code, stderr.includes('host.config')]).toEqual([2, true])
      expect(leaks(stdout + stderr, canary)).toEqual([])
    }
  })
})
