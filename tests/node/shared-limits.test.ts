import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Authority } from '../../bindings/authority.js'
import { runPlan, type Config, type RunEvent, type RunPlanOptions, type RunResult } from '../../node/index.js'
import { loadLimits } from '../../node/loader.js'
import { systemClock } from '../../web/standard/clock.js'
import { aetherflow } from './cli-process.js'

jest.setTimeout(60_000)

/** A provider on loopback that knows how many calls it has at once. `together`: it answers none before so many are there. */
class Counting {
  most = 0
  calls = 0
  #now = 0
  #waiting: (() => void)[] = []
  readonly #server: Server
  constructor(public together = 1) {
    this.#server = createServer((request, response) => {
      this.calls += 1
      this.#now += 1
      this.most = Math.max(this.most, this.#now)
      request.resume()
      const answer = (): void => {
        this.#now -= 1
        const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }]
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ choices, usage: { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 } }))
      }
      response.on('close', () => {
        if (!response.writableEnded) this.#now -= 1
      })
      this.#waiting.push(answer)
      // Turns of the loop in which another call could arrive, were it let go.
      void turns(20).then(() => {
        if (this.#waiting.length < this.together) return
        for (const go of this.#waiting.splice(0)) go()
      })
    })
  }
  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }
  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; ++i) await new Promise((resolve) => setImmediate(resolve))
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shared-limits-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const plan = (task: string, steps: number) => ({
  task_id: task,
  description: 'd',
  steps: Array.from({ length: steps }, (_, i) => ({
    id: `s${i}`,
    type: 'testing',
    description: `Say done ${task} ${i}.`,
    complexity: 0.5,
    estimated_tokens: 20,
    dependencies: [],
  })),
})

function config(baseUrl: string, concurrency = 1): Config {
  const models = { m: { in: 1, cached: 1, out: 1, firstTokenMs: 10, tokensPerSecond: 1000, maxOut: 512 } }
  const builtIn = ['deepseek', 'gemini', 'groq', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'AETHERFLOW_UNSET' }])
  const own = { dialect: 'generic', baseUrl, key: 'k-0123456789', concurrency, json: 'none', default: 'm', models }
  return {
    providers: { ...Object.fromEntries(builtIn), mine: own },
    modes: { build: { rules: [{ name: 'all', use: ['mine'], why: 'it is there' }] } },
  } as Config
}

async function atOnce(baseUrl: string, more: (run: number) => Partial<RunPlanOptions>): Promise<RunResult[]> {
  const runs = [0, 1, 2].map((run) =>
    runPlan(plan(`t${run}`, 4), { config: config(baseUrl), stream: false, ...more(run) }),
  )
  return await Promise.all(runs)
}

test('three runs at once with a limit of one make one call at once, all end, and replay alone', async () => {
  const server = new Counting()
  const url = await server.open()
  const events: RunEvent[][] = [[], [], []]
  const results = await atOnce(url, (run) => ({
    journal: path.join(folder, String(run)),
    onEvent: (event) => events[run]?.push(event),
  }))
  server.close()
  expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok'])
  expect(server.most).toBe(1)
  // What was refused had not left: each step was called once.
  expect(server.calls).toBe(12)
  const refused = events.flat().filter((event) => event.type === 'callEnd' && event.outcome === 'refused')
  expect(refused.length).toBeGreaterThan(0)
  for (const run of ['0', '1', '2']) {
    const { code } = await aetherflow(['replay', path.join(folder, run)])
    expect(code).toBe(0)
  }
})

test('with limits of their own they call at once', async () => {
  const server = new Counting(3)
  const url = await server.open()
  const results = await atOnce(url, () => ({ limits: 'own' }))
  server.close()
  expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok'])
  expect(server.most).toBe(3)
})

test('an aborted run gives its place back to those that wait', async () => {
  const server = new Counting(2) // one call alone is never answered
  const url = await server.open()
  const limits = new Authority(await loadLimits(), systemClock)
  const stop = new AbortController()
  let began: () => void = () => {}
  const there = new Promise<void>((resolve) => (began = resolve))
  const first = runPlan(plan('held', 1), {
    ...{ config: config(url), stream: false, limits, signal: stop.signal },
    onEvent: (event) => event.type === 'prompt' && began(),
  })
  await there
  const second = runPlan(plan('waits', 1), {
    ...{ config: config(url), stream: false, limits, signal: AbortSignal.timeout(50_000) },
    onEvent: (event) => {
      if (event.type !== 'callEnd' || event.outcome !== 'refused') return
      server.together = 1
      stop.abort()
    },
  })
  expect((await first).outcome).toBe('cancelled')
  expect((await second).outcome).toBe('ok')
  expect(server.most).toBe(1)
  server.close()
  limits.dispose()
})

test('of two limits for one group the smaller holds, and a warning says so', async () => {
  const server = new Counting()
  const url = await server.open()
  const limits = new Authority(await loadLimits(), systemClock)
  const warnings: string[] = []
  const run = (concurrency: number, task: string) =>
    runPlan(plan(task, 4), {
      ...{ config: config(url, concurrency), stream: false, limits },
      onEvent: (event) => event.type === 'warning' && warnings.push(`${event.code} ${event.where}`),
    })
  const results = await Promise.all([run(1, 'small'), run(4, 'large')])
  server.close()
  limits.dispose()
  expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
  expect(server.most).toBe(1)
  expect(warnings).toEqual(['run.limits_narrowed mine'])
})

test('a run begins with what earlier ones have measured at that account, and replays alone', async () => {
  const server = new Counting()
  const url = await server.open()
  const limits = new Authority(await loadLimits(), systemClock)
  const { mine, ...rest } = config(url, 8).providers!
  const own = { ...mine, models: { m: { ...mine!.models!['m'], firstTokenMs: 77_777 } } }
  const guessed = { ...config(url, 8), providers: { ...rest, mine: own } }
  const begun = async (name: string, steps: number, more: Partial<RunPlanOptions>): Promise<unknown> => {
    const journal = path.join(folder, name)
    const { outcome } = await runPlan(plan(name, steps), { config: guessed, stream: false, journal, ...more })
    expect(outcome).toBe('ok')
    const lines = readFileSync(path.join(journal, 'journal.jsonl'), 'utf8').split('\n')
    const header = lines.slice(0, 3).join()
    expect(header.includes('tokenFactor')).toBe(name === 'second')
    return /firstTokenMs\\":([\d.]+)/.exec(header)?.[1]
  }
  expect(await begun('first', 6, { limits })).toBe('77777')
  const told = await begun('second', 1, { limits })
  expect(Number(told)).toBeLessThan(77_777)
  expect((await aetherflow(['replay', path.join(folder, 'second')])).code).toBe(0)
  // It goes on in a process that has measured something else, or nothing.
  const interruption = new AbortController()
  const onEvent = ({ type }: RunEvent): void => (type === 'call' ? interruption.abort() : undefined)
  const broken = { config: guessed, stream: false, journal: path.join(folder, 'third') } as const
  await runPlan(plan('third', 2), { ...broken, limits, signal: interruption.signal, onEvent })
  expect((await runPlan(plan('third', 2), { ...broken, limits: 'own', resume: true })).outcome).toBe('ok')
  // Nothing of it for a run of its own, nor for another account.
  expect(await begun('own', 1, { limits: 'own' })).toBe('77777')
  const elsewhere = { ...guessed, providers: { ...rest, mine: { ...own, key: 'k-of-another' } } }
  expect(await begun('account', 1, { limits, config: elsewhere })).toBe('77777')
  server.close()
})
