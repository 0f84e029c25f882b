/** The fault server itself: a wrong oracle would prove nothing. */
import { describe, expect, test } from '@jest/globals'
import { rateLimited, stall } from './catalogue.js'
import { mark } from './fault-server.js'
import { withServer, withVirtualServer } from './host.js'
import { Ledger, type Entry } from './ledger.js'
import { answer, refusal } from './wire.js'

const body = (step: string, stream = true): string =>
  JSON.stringify({ model: 'm', stream, max_tokens: 9, messages: [{ role: 'user', content: `do ${mark(step)}` }] })

const post = (url: string, step: string, more: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/chat/completions`, { method: 'POST', body: body(step), ...more })

describe('rules', () => {
  test('by step, by order, by key and so many times; what no rule matches is answered', () =>
    withServer(async (server) => {
      server.script([
        { step: 'a', times: 1, name: 'once', fault: refusal(503) },
        { idempotencyKey: 'k9', name: 'keyed', fault: refusal(409) },
        { order: 3, name: 'fourth', fault: refusal(500) },
      ])
      const url = server.at('alpha')
      const statuses: number[] = []
      for (const [step, key] of [['a'], ['a'], ['b', 'k9'], ['b']] as const) {
        const reply = await post(url, step, key === undefined ? {} : { headers: { 'idempotency-key': key } })
        statuses.push(reply.status)
        await reply.text()
      }
      expect(statuses).toEqual([503, 200, 409, 500])
      const { entries } = server.ledger
      expect(entries.map(({ fault }) => fault)).toEqual(['once', 'answer', 'keyed', 'fourth'])
      expect(entries.map(({ committed }) => committed)).toEqual([false, true, false, false])
      expect(entries.map(({ step, earlier }) => `${step}${earlier}`)).toEqual(['a0', 'a1', 'b0', 'b1'])
      expect(server.ledger.effects()).toEqual(new Map([['', 1]]))
    }))

  test('a key is kept as a digest, and told apart', () =>
    withServer(async (server) => {
      for (const authorization of ['Bearer one', 'Bearer two'])
        await (await post(server.at('alpha'), 'a', { headers: { authorization } })).text()
      const [one, two] = server.ledger.entries.map(({ credential }) => credential)
      expect(one).toMatch(/^[0-9a-f]{16}$/)
      expect(one).not.toBe(two)
      expect(JSON.stringify(server.ledger.entries)).not.toContain('Bearer')
    }))
})

describe('endings', () => {
  test('a client that leaves is seen; one that was cut off has not left', () =>
    withServer(async (server) => {
      const url = server.at('alpha')
      server.script([
        { step: 'a', fault: stall(0.5) },
        { step: 'b', fault: () => ({ instead: 'reset', committed: true }) },
      ])
      const leaving = new AbortController()
      const reply = await post(url, 'a', { signal: leaving.signal })
      expect(reply.status).toBe(200)
      leaving.abort()
      await expect(post(url, 'b')).rejects.toThrow()
      await server.until((ledger) => ledger.entries.every(({ endedAt }) => endedAt !== undefined))
      expect(server.ledger.entries.map(({ left, committed }) => [left, committed])).toEqual([
        [true, true],
        [false, true],
      ])
    }))

  test('an answer arrives whole, streamed or not', () =>
    withServer(async (server) => {
      server.script([{ fault: answer('hello 漢字') }])
      const streamed = await (await post(server.at('alpha'), 'a')).text()
      expect(streamed.endsWith('data: [DONE]\n\n')).toBe(true)
      const plain = await fetch(`${server.at('alpha')}/x`, { method: 'POST', body: body('a', false) })
      expect(await plain.json()).toMatchObject({ choices: [{ message: { content: 'hello 漢字' } }] })
      expect(server.ledger.entries.map(({ sentTokens }) => sentTokens)).toEqual([2, 2])
    }))

  test('pauses are on the server’s clock', () =>
    withVirtualServer(async (server, clock) => {
      server.script([{ fault: () => ({ parts: ['one', { pauseMs: 90_000 }, 'two'] }) }])
      const reading = post(server.at('alpha'), 'a').then((reply) => reply.text())
      const mark = (): string => String(server.ledger.entries.length)
      expect(await clock.drive(reading, { mark, still: () => server.busy === 0 && mark() === '1' })).toBe('onetwo')
      await server.until(({ entries }) => entries[0]?.endedAt !== undefined)
      expect(server.ledger.entries.map(({ at, endedAt }) => [at, endedAt])).toEqual([[0, 90_000]])
    }))

  test('a refusal carries its headers', () =>
    withServer(async (server) => {
      server.script([{ fault: rateLimited({ 'retry-after': '7' }) }])
      const reply = await post(server.at('alpha'), 'a')
      expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '7'])
      await reply.text()
    }))
})

describe('the ledger', () => {
  const entry = (at: number, endedAt: number, tokens = 1): Entry =>
    ({ at, endedAt, began: at, ended: endedAt, promptTokens: tokens, sentTokens: 10, committed: true }) as Entry
  const ledger = new Ledger()
  ledger.entries.push(entry(0, 50, 5), entry(40, 60), entry(60, 61, 7), entry(100, 200))

  test('the fullest window is found wherever it lies; its ends do not both count', () => {
    expect(ledger.fullest(60, () => 1)).toBe(2)
    expect(ledger.fullest(61, () => 1)).toBe(3)
    expect(ledger.fullest(61, ({ promptTokens }) => promptTokens)).toBe(13)
    expect(new Ledger().fullest(60, () => 1)).toBe(0)
  })

  test('how many were open at once', () => {
    expect(ledger.mostAtOnce()).toBe(2)
  })

  test('what is billed', () => {
    expect(ledger.billedMicroUsd({ in: 2, out: 1 })).toBe(2 * 14 + 40)
  })
})
