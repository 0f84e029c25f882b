/** Runs in a page, from the packed files under a strict policy: in the worker, in the page's thread, many at once, cut short. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runPlan } from '../../node/index.js'
import { projectPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'

const step = { description: 'say hello', complexity: 0.1, estimated_tokens: 50 }
const chain = {
  task_id: 'chain',
  description: 'd',
  steps: [
    { id: 'a', type: 'analysis', ...step, dependencies: [] },
    { id: 'b', type: 'documentation', ...step, dependencies: ['a'] },
  ],
}
const examples = ['diamond', 'five-files', 'code-base', 'mission', 'review']

describeInBrowser('a page', () => {
  let server: PageServer
  let open: OpenPage
  beforeAll(async () => {
    server = await PageServer.start()
    open = await openPage(server.page('api'))
  }, 60_000)
  afterAll(() => server?.close())

  test('is a provider of the AI SDK: whole and streamed, with nothing but its own bundle', async () => {
    const told = await open.page.evaluate(async () => {
      const address: string = '/package/browser/ai-sdk.js'
      const sdk = (await import(address)) as typeof import('../../web/browser/ai-sdk.js')
      const aetherflow = sdk.createAetherflow({ simulate: 'instant' })
      const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hello' }] }]
      const whole = await aetherflow('auto').doGenerate({ prompt })
      const types: string[] = []
      const { stream } = await aetherflow('fast').doStream({ prompt })
      const reader = stream.getReader()
      for (let part = await reader.read(); !part.done; part = await reader.read()) types.push(part.value.type)
      await aetherflow.close()
      return { whole, types }
    })
    expect(told.whole.content[0]).toMatchObject({ type: 'text' })
    expect(told.whole.finishReason.unified).toBe('stop')
    expect(told.whole.providerMetadata).toMatchObject({ aetherflow: { attempts: 1 } })
    expect(told.types.slice(0, 3)).toEqual(['stream-start', 'text-start', 'text-delta'])
    expect(told.types.at(-1)).toBe('finish')
  })

  test.each([true, false] as const)('obeys conditions, lists and patterns of a plan, worker: %s', async (worker) => {
    const told = await open.page.evaluate(async (worker) => {
      const base = { type: 'analysis', estimated_tokens: 40 }
      const plan = {
        task_id: 't',
        description: 'd',
        steps: [
          { ...base, id: 'each', description: 'Look at {{item}}', for_each: ['a', 'b', 'c'] },
          {
            ...base,
            id: 'files',
            description: 'Read {{item}}',
            for_each: { glob: 'src/*' },
            context: { files: ['{{item}}'] },
          },
          { ...base, id: 'vote', description: 'Of {{steps.each.output}}', pattern: { kind: 'vote' } },
          { ...base, id: 'never', description: 'x', when: { step: 'vote', state: 'failed' } },
          { ...base, id: 'after', description: 'y', dependencies: ['never'] },
        ],
      }
      const files: Readonly<Record<string, string>> = { 'src/one.ts': 'let one', 'src/two.ts': 'let two' }
      const options = {
        simulate: 'instant',
        readFile: (path: string) => files[path] ?? '',
        listFiles: (entry: string) => Object.keys(files).filter((path) => entry !== 'src/*' || path.startsWith('src/')),
      } as const
      const explained = await api.explainPlan(plan, options)
      const { report, outcome } = await api.runPlan(plan, { ...options, worker })
      return {
        outcome,
        range: explained.range,
        steps: report.steps.map(({ id, state, reason }) => [id, state, reason ?? '']),
      }
    }, worker)
    expect([told.outcome, told.range?.most.calls]).toEqual(['ok', 11])
    const states = Object.fromEntries(told.steps.map(([id, ...state]) => [id, state.join(' ').trim()]))
    expect(states).toMatchObject({
      ...{ each: 'done', 'each[2]': 'done', files: 'done', 'files[1]': 'done', vote: 'done', 'vote.s1': 'done' },
      ...{ never: 'skipped condition_not_met', after: 'skipped condition_not_met' },
    })
  })

  test('analyses a conversation, at once the second time, and holds a debate', async () => {
    const told = await open.page.evaluate(async () => {
      const schema = { type: 'object', properties: { mood: { enum: ['good', 'bad'] } }, required: ['mood'] }
      const analyzer = await api.openAnalyzer({ simulate: 'instant' })
      const asked = { session: 's', history: [{ role: 'user', content: 'It works.' }], schema }
      const [first, second] = [await analyzer.analyze(asked), await analyzer.analyze(asked)]
      await analyzer.close()
      const speakers = new Set<string>()
      const plan = await api.patternPlan('consensus', { topic: 'Is it round?', rounds: 2 })
      const onSpeech = ({ speaker }: { speaker: string }): void => void speakers.add(speaker)
      // Simulated answers to one question differ by the speaker's name, and so do the two of the first round.
      const { answer, cost, run } = await api.runPattern(plan, { simulate: 'instant', onSpeech })
      const { value, from } = first
      return {
        value,
        from,
        then: second.from,
        speakers: [...speakers],
        answer,
        calls: cost.calls,
        outcome: run.outcome,
      }
    })
    const { answer, calls, ...rest } = told
    expect(rest).toEqual({
      ...{ value: { mood: 'good' }, from: 'model', then: 'cache', outcome: 'ok' },
      speakers: ['Advocate', 'Challenger'],
    })
    expect([typeof answer, calls > 2]).toEqual(['string', true])
    expect(open.complaints).toEqual([])
  })

  test.each([true, false] as const)('runs a plan under a strict policy, worker: %s', async (worker) => {
    const told = await open.page.evaluate(
      async ([plan, worker]) => {
        const types: string[] = []
        const texts: Record<string, string> = {}
        const delivered: string[] = []
        const result = await api.runPlan(plan, {
          simulate: 'instant',
          worker,
          onEvent: (event) => types.push(event.type),
          onText: (id, piece) => (texts[id] = (texts[id] ?? '') + piece),
          deliver: async ({ id }) => void delivered.push(id),
        })
        const { outcome, thread, simulated, report } = result
        const same = [...result.outputs].every(([id, text]) => texts[id]?.trim() === text.trim())
        return { types, same, delivered, outcome, thread, simulated, done: report.counts.done }
      },
      [chain, worker] as const,
    )
    const { types, ...rest } = told
    expect(types.at(0)).toBe('steps')
    expect(types.at(-1)).toBe('finish')
    expect(types.filter((type) => type === 'done').length).toBe(2)
    const thread = worker ? 'worker' : 'page'
    expect(rest).toEqual({ same: true, delivered: ['a', 'b'], outcome: 'ok', thread, simulated: 'instant', done: 2 })
    expect(open.complaints).toEqual([])
  })

  test.each(examples)('%s ends as it does in Node, with the same outputs', async (name) => {
    const folder = projectPath('examples/plans')
    const plan = readFileSync(`${folder}/${name}.json`, 'utf8')
    const mode = name === 'review' ? 'double-check' : 'build'
    const here = await runPlan(plan, { simulate: 'instant', config: {}, folder, mode })
    const there = await open.page.evaluate(
      async ([plan, mode]) => {
        const readFile = async (path: string) => (await fetch(`/examples/plans/${path}`)).text()
        const result = await api.runPlan(plan, { simulate: 'instant', mode, readFile })
        return { outcome: result.outcome, outputs: [...result.outputs], counts: result.report.counts }
      },
      [plan, mode] as const,
    )
    expect(there.outcome).toBe(here.outcome)
    expect(there.counts).toEqual(here.report.counts)
    expect(new Map(there.outputs)).toEqual(here.outputs)
  })

  test('a plan may stream in, and its first steps start before its end', async () => {
    const told = await open.page.evaluate(async (plan) => {
      const text = JSON.stringify(plan)
      const half = text.indexOf('"id":"b"')
      let started = (_: string): void => {}
      const first = new Promise<string>((resolve) => (started = resolve))
      async function* planner() {
        yield text.slice(0, half)
        yield `${await first}` === 'a' ? text.slice(half) : ''
      }
      const { outcome, outputs } = await api.runPlan(planner(), {
        simulate: 'instant',
        onEvent: (event) => event.type === 'call' && started(event.step),
      })
      return [outcome, outputs.size]
    }, chain)
    expect(told).toEqual(['ok', 2])
  })

  test('events can be iterated, several runs go on at once, one worker serves them', async () => {
    const told = await open.page.evaluate(async (plan) => {
      const run = async (seed: number) => {
        const types: string[] = []
        const going = api.runPlan(plan, { simulate: 'default', simulateSpeed: 20, seed })
        for await (const { type } of going) types.push(type)
        return [(await going).outcome, types.at(-1), types.filter((type) => type === 'done').length]
      }
      const results = await Promise.all([1, 2, 3, 4, 5].map(run))
      return results
    }, chain)
    expect(told).toEqual(Array(5).fill(['ok', 'finish', 2]))
    expect(open.page.workers().length).toBe(1)
  })

  test.each([true, false] as const)('abort and cancel keep what is done, worker: %s', async (worker) => {
    const told = await open.page.evaluate(
      async ([plan, worker]) => {
        const abort = new AbortController()
        const options = { simulate: 'mission', worker, simulateSpeed: 10 } as const
        const result = await api.runPlan(plan, {
          ...options,
          signal: abort.signal,
          onEvent: (event) => event.type === 'done' && abort.abort(),
        })
        const unknown: string[] = []
        const going = api.runPlan(plan, {
          ...options,
          onEvent: (event) => {
            if (event.type !== 'firstToken') return
            try {
              going.cancel('nobody')
            } catch (error) {
              unknown.push((error as InstanceType<typeof api.AetherflowError>).code)
            }
            going.cancel('a')
          },
        })
        const cut = await going
        const early = api.runPlan(plan, options)
        early.cancel()
        const before = new AbortController()
        before.abort()
        const aborted = await api.runPlan(plan, { ...options, signal: before.signal })
        return {
          abort: [result.outcome, [...result.outputs.keys()]],
          step: [cut.outcome, cut.report.steps.map(({ state }) => state), unknown],
          early: (await early).outcome,
          before: aborted.outcome,
        }
      },
      [chain, worker] as const,
    )
    expect(told.abort).toEqual(['cancelled', ['a']])
    expect(told.step).toEqual(['steps_failed', ['cancelled', 'skipped'], ['run.unknown_step']])
    expect([told.early, told.before]).toEqual(['cancelled', 'cancelled'])
  })

  test.each([true, false] as const)('errors arrive as they are, worker: %s', async (worker) => {
    const told = await open.page.evaluate(
      async ([plan, worker]) => {
        const own = new Error('my own')
        const caught = async (work: PromiseLike<unknown>) => {
          try {
            await work
            return 'nothing was thrown'
          } catch (error) {
            if (!(error instanceof api.AetherflowError)) return error === own ? 'own' : String(error)
            const { code, where, detail, advice } = error
            return [code, where, detail !== '', advice !== '']
          }
        }
        const cycle = { ...plan, steps: plan.steps.map((step) => ({ ...step, dependencies: ['b'] })) }
        const simulate = 'instant'
        const fail = () => {
          throw own
        }
        async function* broken() {
          yield '{"task_id"'
          throw own
        }
        return {
          json: await caught(api.runPlan('{"steps":[}', { simulate, worker })),
          cycle: await caught(api.checkPlan(cycle, { worker })),
          profile: await caught(api.runPlan(plan, { simulate: 'no such', worker })),
          config: await caught(api.runPlan(plan, { config: { nonsense: 1 } as object, worker })),
          keys: await caught(api.runPlan(plan, { worker })),
          watcher: await caught(api.runPlan(plan, { simulate, worker, onEvent: fail })),
          deliver: await caught(api.runPlan(plan, { simulate, worker, deliver: fail })),
          source: await caught(api.runPlan(broken(), { simulate, worker })),
          uncloneable: await caught(api.runPlan(plan, { simulate, worker, config: { modes: { x: fail } } })),
        }
      },
      [chain, worker] as const,
    )
    expect(told.json).toEqual(['json.malformed', expect.any(String), true, true])
    expect(told.cycle).toEqual(['plan.cycle', expect.stringContaining('/steps/'), true, true])
    expect(told.profile).toEqual(['host.usage', expect.any(String), true, true])
    expect(told.config).toEqual(['host.config', '', true, true])
    expect(told.keys).toEqual(['route.no_provider', expect.any(String), expect.any(Boolean), true])
    expect([told.watcher, told.deliver, told.source]).toEqual(['own', 'own', 'own'])
    // A function cannot be sent to a worker; the core, which sees JSON, never knew of it.
    if (worker) expect(told.uncloneable).toEqual(['host.usage', '', true, true])
  })

  test('a plan can be checked and explained', async () => {
    const told = await open.page.evaluate(async (plan) => {
      const { steps, dot } = await api.checkPlan(plan)
      const explained = await api.explainPlan(plan)
      const { assumed, report, routes } = explained
      const keyed = await api.explainPlan(plan, { keys: (id) => (id === 'groq' ? 'x' : '') })
      const used = [...new Set(keyed.routes.map((route) => JSON.stringify(route).includes('groq')))]
      return {
        steps: steps.length,
        dot: dot.slice(0, 7),
        assumed: assumed.length > 3,
        done: report.counts.done,
        routes: routes.length,
        used,
      }
    }, chain)
    expect(told).toMatchObject({ steps: 2, dot: 'digraph', assumed: true, done: 2, used: [true] })
  })

  test('an explanation weighs the files that the page has, and says which it has not', async () => {
    const told = await open.page.evaluate(async (plan) => {
      const [one, ...others] = plan.steps
      const withFile = { ...plan, steps: [{ ...one, context: { files: ['a.md'] } }, ...others] }
      const cost = async (text: string) =>
        (await api.explainPlan(withFile, { readFile: () => text })).costMicroUsd.expected
      const missing = { readFile: () => Promise.reject(new Error('not here')) }
      const refused = await api.explainPlan(withFile, missing).then(
        () => 'explained',
        (error: Error) => error.message,
      )
      return { small: await cost('x'), large: await cost('word '.repeat(50_000)), refused }
    }, chain)
    expect(told.large).toBeGreaterThan(told.small)
    expect(told.refused).toContain('not here')
  })

  test('an answer that was paid for and refused is told, with the reason', async () => {
    const told = await open.page.evaluate(async () => {
      const rejected: [string, string, string][] = []
      const usage = { input: 5, cached: 0, output: 5, reasoning: 0 }
      const step = { id: 'a', type: 'analysis', description: 'say', dependencies: [], output: 'json' }
      const result = await api.runPlan(
        { task_id: 't', description: 'd', steps: [step] },
        {
          performer: { perform: async () => ({ text: 'no JSON', usage, finish: 'stop' }) },
          policy: { retry: { attempts: 1 } },
          rejected: (info, text, why) => void rejected.push([info.id, text, why]),
        },
      )
      return { rejected, outcome: result.outcome }
    })
    expect(told.outcome).not.toBe('ok')
    expect(told.rejected[0]).toEqual(['a', 'no JSON', expect.stringMatching(/\S/)])
  })
})
