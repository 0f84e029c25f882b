/** A key must be absent from every artefact and error, whatever the provider does with it. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { runPlan, type Config } from '../../node/index.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { createOpenAiCompatible, generic } from '../../web/standard/providers/index.js'
import { FaultServer } from '../faults/fault-server.js'
import { canary, configOf, once, plan, run, step } from '../faults/host.js'
import { digestOf } from '../faults/ledger.js'
import { refusal } from '../faults/wire.js'
import { names, promptCanary, rules, steps, timeouts } from './leaky.js'
import { disguises, everything, leaks } from './secrets.js'

// What stalls is given up after seconds of real time.
jest.setTimeout(150_000)

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
    const both = [true, false].map(async (stream) => {
      const client = createOpenAiCompatible({
        fetch: (input, init) => fetch(input, init),
        baseUrl: server.at('alpha'),
        key: () => canary,
        dialect: generic,
        timeouts: { ...timeouts, firstTokenMs: 1500, idleMs: 1500, totalMs: 2000 },
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
    })
    await Promise.all(both)
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

  // No prefix, no digit, no dash: nothing but the key itself tells that this is one.
  const plainKey = 'violetteapotsmarchquietlynorthward'
  test.each([
    ['alone', plainKey],
    ['in quotes', `the key "${plainKey}", sir`],
    ['twice', `${plainKey}${plainKey}`],
    ['where the text is cut', `${'x '.repeat(140)}${plainKey}`],
    ['where a longer text is cut', `${'x '.repeat(590)}${plainKey}`],
    ['its first half', `it began with ${plainKey.slice(0, 17)}`],
    ['its last half', `it ended with ${plainKey.slice(17)}`],
    ['all but a letter', `no such key: ${plainKey.slice(1)}`],
  ])('a key without any sign of one, quoted by the provider %s', async (_, message) => {
    server.script([{ fault: refusal(401, { error: { message, code: message, type: message } }) }])
    const ran = await run(server, plan(step('a')), { policy: once, providers: { alpha: { key: plainKey } } })
    expect(ran.report.steps[0]?.failure).toBe('auth')
    const half = Math.floor(plainKey.length / 2)
    const parts = Array.from({ length: plainKey.length - half + 1 }, (_none, at) => plainKey.slice(at, at + half))
    const told = everything(ran)
    expect(parts.filter((part) => told.includes(part))).toEqual([])
  })

  test('the core is told no key', async () => {
    const seen: string[] = []
    const config = configOf(server) as Config
    const performer = { perform: () => Promise.resolve({ text: 'x', usage: undefined, finish: 'stop' as const }) }
    const result = await runPlan(plan(step('a')), { config, performer, onEvent: (one) => seen.push(everything(one)) })
    expect(leaks(everything(result) + seen.join(''), canary)).toEqual([])
  })
})
