/** Never over a limit, in any placement of the window, under any interleaving: by the server's own clock and count. */
import { describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { scratch } from '../node/cli-process.js'
import { faults } from './catalogue.js'
import { notes, plan, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import type { Entry } from './ledger.js'
import { answer, late, refusal, type Fault } from './wire.js'

const minute = 60_000
const day = 24 * 60 * minute
const many = (count: number, more: object = { provider: 'alpha' }): object[] =>
  Array.from({ length: count }, (_, at) => step(`s${at}`, more))

const options = (limits: object, more: object = {}): HostOptions => ({
  policy: { limits, breaker: { failures: 1000 }, ...more },
  providers: { alpha: { concurrency: 50 }, beta: { concurrency: 50 } },
})

const tokens = (entry: Entry): number => entry.promptTokens + entry.sentTokens
const atEnd = (entry: Entry): number => entry.endedAt ?? entry.at

/** Replies that take their time, no two the same; a fifth of the requests fails in some way. */
const unruly: Fault = (asked) => {
  const kinds = [refusal(503), faults.resetInBody, faults.errorInStream, faults.emptyBody, refusal(429)]
  const fault = asked.order % 5 === 3 ? kinds[((asked.order / 5) % kinds.length) | 0] : undefined
  return late((asked.order * 7919) % 13_000, fault ?? answer())(asked)
}

describe('requests per minute', () => {
  test.each<[string, Fault]>([
    ['answers at once', answer()],
    ['answers that take a while', late(7000, answer())],
    ['replies of every kind and length', unruly],
  ])('fifty at a time, %s', async (_, fault) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault }])
      const limited = options({ alpha: { requestsPerMinute: 30 } })
      const ran = await runVirtually(server, clock, plan(...many(100)), limited)
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.fullest(minute, () => 1)).toBeLessThanOrEqual(30)
      // It is used, too: nobody waits for more than the limit asks.
      expect(server.ledger.fullest(minute, () => 1)).toBeGreaterThan(20)
      expect(notes(ran, 'waiting_for_limit').length).toBeGreaterThan(0)
    })
  })

  test('a limit shared by two providers', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: late(900, answer()) }])
      const shared = { quotaGroup: 'shared', concurrency: 50 }
      const ran = await runVirtually(
        server,
        clock,
        plan(...many(30), ...many(30, { provider: 'beta' }).map((each, at) => ({ ...each, id: `b${at}` }))),
        {
          ...options({ shared: { requestsPerMinute: 20, concurrency: 6 } }),
          providers: { alpha: shared, beta: shared },
        },
      )
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.fullest(minute, () => 1)).toBeLessThanOrEqual(20)
      expect(server.ledger.mostAtOnce()).toBeLessThanOrEqual(6)
      expect([server.ledger.to('alpha').length, server.ledger.to('beta').length]).toEqual([30, 30])
    })
  })

  test('requests per day', async () => {
    await withVirtualServer(async (server, clock) => {
      const limited = options({ alpha: { requestsPerDay: 5 } })
      const ran = await runVirtually(server, clock, plan(...many(12)), limited, 4 * day)
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.fullest(day, () => 1)).toBe(5)
    })
  })

  test('the more urgent goes first', async () => {
    await withVirtualServer(async (server, clock) => {
      const steps = Array.from({ length: 12 }, (_, at) => step(`s${at}`, { provider: 'alpha', priority: at }))
      await runVirtually(server, clock, plan(...steps), options({ alpha: { requestsPerMinute: 2 } }))
      const order = server.ledger.entries.map((entry) => Number(entry.step.slice(1)))
      // Two of a window may swap on the way.
      const windows = Array.from({ length: 6 }, (_, at) => order.slice(2 * at, 2 * at + 2).sort((a, b) => b - a))
      expect(windows.flat()).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    })
  })
})

describe('tokens per minute', () => {
  test.each<[string, Fault]>([
    ['answers at once', answer()],
    ['answers that take a while', late(7000, answer())],
    ['answers longer than expected', late(2000, answer('many words '.repeat(70)))],
    ['replies of every kind and length', unruly],
  ])('%s', async (_, fault) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault }])
      const limited = options({ alpha: { tokensPerMinute: 6000 } })
      const ran = await runVirtually(server, clock, plan(...many(60)), limited)
      expect(ran.outcome).toBe('ok')
      // Whether a provider counts at the beginning or at the end.
      expect(server.ledger.fullest(minute, tokens)).toBeLessThanOrEqual(6000)
      expect(server.ledger.fullest(minute, tokens, atEnd)).toBeLessThanOrEqual(6000)
    })
  })

  test('a prompt larger than the whole limit is never sent', async () => {
    await withVirtualServer(async (server, clock) => {
      const large = step('a', { provider: 'alpha', description: `#step=a# ${'word '.repeat(4000)}` })
      const ran = await runVirtually(server, clock, plan(large), options({ alpha: { tokensPerMinute: 3000 } }))
      expect(ran.report.steps[0]?.failure).toBe('too_large')
      expect(server.ledger.entries).toEqual([])
    })
  })

  test('files are counted once they are read, before the prompt leaves', async () => {
    const { folder, remove } = scratch()
    writeFileSync(path.join(folder, 'long.txt'), 'a line of some length, and another\n'.repeat(300))
    await withVirtualServer(async (server, clock) => {
      const reading = many(6, { provider: 'alpha', context: { files: ['long.txt'] } })
      const limited = { ...options({ alpha: { tokensPerMinute: 9000 } }), folder }
      const ran = await runVirtually(server, clock, plan(...reading), limited)
      expect(ran.outcome).toBe('ok')
      expect(Math.min(...server.ledger.entries.map(({ promptTokens }) => promptTokens))).toBeGreaterThan(2000)
      expect(server.ledger.fullest(minute, tokens)).toBeLessThanOrEqual(9000)
      expect(server.ledger.entries.length).toBe(6)
    }).finally(remove)
  })

  test('outputs that flow into prompts are counted before they leave', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: answer('data data '.repeat(300)) }])
      const sources = many(4, { provider: 'beta' })
      const ids = sources.map((each) => (each as { id: string }).id)
      const users = Array.from({ length: 12 }, (_, at) => step(`u${at}`, { provider: 'alpha', dependencies: ids }))
      const limited = options({ alpha: { tokensPerMinute: 20_000 } })
      const ran = await runVirtually(server, clock, plan(...sources, ...users), limited)
      expect(ran.outcome).toBe('ok')
      const entries = server.ledger.to('alpha')
      expect(Math.max(...entries.map(({ promptTokens }) => promptTokens))).toBeGreaterThan(2000)
      expect(server.ledger.fullest(minute, tokens, undefined, entries)).toBeLessThanOrEqual(20_000)
      expect(server.ledger.fullest(minute, tokens, atEnd, entries)).toBeLessThanOrEqual(20_000)
    })
  })
})

describe('at once', () => {
  test('places of a provider, whatever becomes of the calls', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: unruly }])
      const limited = { ...options({}), providers: { alpha: { concurrency: 7 } } }
      const ran = await runVirtually(server, clock, plan(...many(60)), limited)
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.mostAtOnce()).toBe(7)
    })
  })
})

describe('what headers teach', () => {
  const openai = { alpha: { dialect: 'openai', concurrency: 50 } }

  test('a window that is used up is waited for', async () => {
    await withVirtualServer(async (server, clock) => {
      const headers = {
        'x-ratelimit-limit-requests': '3',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '45s',
      }
      const taught: Fault = (asked) => {
        const reply = answer()(asked)
        return { ...reply, headers: { ...reply.headers, ...headers } }
      }
      server.script([{ order: 0, fault: taught }])
      const chain = [step('a'), step('b', { dependencies: ['a'] }), step('c', { dependencies: ['b'] })]
      const only = chain.map((each) => ({ ...each, provider: 'alpha' }))
      const ran = await runVirtually(server, clock, plan(...only), { ...options({}), providers: openai })
      expect(ran.outcome).toBe('ok')
      expect(notes(ran, 'limit_learned').length).toBeGreaterThan(0)
      const [first, second] = server.ledger.entries
      expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(45_000)
    })
  })
})
