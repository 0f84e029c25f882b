/** What a step says of its own calls: model, system text, temperature, most tokens, and the name of its output. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkPlan, explainPlan, runPlan, type Config } from '../../node/index.js'
import { aetherflow } from './cli-process.js'

interface Body {
  readonly model: string
  readonly temperature?: number
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly messages: readonly { readonly role: string; readonly content: string }[]
}

/** What was asked, in order. */
const asked: Body[] = []
let server: Server
let baseUrl = ''
let folder = ''
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      asked.push(JSON.parse(text) as Body)
      const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'done' } }]
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ choices, usage: { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21 } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked.length = 0
  folder = mkdtempSync(path.join(tmpdir(), 'step-settings-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const model = { in: 1, cached: 1, out: 1, firstTokenMs: 10, tokensPerSecond: 1000, maxOut: 4096 }
const config = (): Config => ({
  providers: {
    mine: {
      ...{ dialect: 'generic', baseUrl, key: 'k-0123456789', json: 'none', default: 'plain' },
      models: { plain: model, 'family/large': model },
    },
  },
})
const step = (id: string, more: object) => ({ id, type: 'testing', description: `do ${id}`, ...more })
const plan = (...steps: object[]) => ({ task_id: 't', description: 'd', steps })
const run = (...steps: object[]) => runPlan(plan(...steps), { config: config(), stream: false })

test('reach the provider, and nothing of them where a step says nothing', async () => {
  const own = { model: 'family/large', system: 'Answer as a pirate.', temperature: 0.25, max_tokens: 77 }
  const { outcome } = await run(
    step('a', { provider: 'mine' }),
    step('b', { dependencies: ['a'], provider: 'mine', ...own }),
  )
  expect(outcome).toBe('ok')
  const [plain, set] = asked
  const [first, second] = asked.map(({ messages }) => messages[0]?.content ?? '')
  expect(plain).not.toHaveProperty('temperature')
  expect([plain?.model, set?.model, set?.temperature]).toEqual(['plain', 'family/large', 0.25])
  expect(set?.max_tokens ?? set?.max_completion_tokens).toBe(77)
  // Behind what all steps of a kind share.
  expect(second).toBe(`${first ?? ''}\nAnswer as a pirate.`)
})

test('a model alone is found at a provider that has it', async () => {
  const { routes } = await explainPlan(plan(step('a', { model: 'family/large' })), { config: config() })
  expect(routes).toMatchObject([{ provider: 'mine', model: 'family/large' }])
})

describe('refused with their place', () => {
  test.each([
    ['temperature', 3, 'plan.out_of_range'],
    ['temperature', 'hot', 'plan.wrong_type'],
    ['max_tokens', 0, 'plan.out_of_range'],
    ['max_tokens', 1.5, 'plan.wrong_type'],
    ['system', 1, 'plan.wrong_type'],
    ['output_file', '../x.md', 'plan.wrong_type'],
    ['output_file', '.hidden', 'plan.wrong_type'],
    ['output_file', '', 'plan.wrong_type'],
    ['output_file', `${'x'.repeat(121)}`, 'plan.wrong_type'],
  ])('%s %j', async (member, value, code) => {
    const error = await checkPlan(plan(step('a', { [member]: value }))).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code, where: `/steps/0/${member}` })
  })

  test('a model that is named twice', async () => {
    const error = await checkPlan(plan(step('a', { provider: 'mine/plain', model: 'x' }))).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'plan.wrong_type', where: '/steps/0/model' })
  })
})

test('an output has the name that its step says; of two alike the later one is told apart', async () => {
  writeFileSync(
    path.join(folder, 'p.json'),
    JSON.stringify(
      plan(
        step('a', { output_file: 'CHANGES.md' }),
        step('b', { output_file: 'CHANGES.md' }),
        step('c', { output_file: 'con.txt' }),
      ),
    ),
  )
  const { code } = await aetherflow(['run', 'p.json', '--simulate=instant', '--output', 'out'], '', { cwd: folder })
  expect(code).toBe(0)
  const names = readdirSync(path.join(folder, 'out/step_outputs')).sort()
  expect(names).toEqual(['%63on.txt', expect.stringMatching(/^CHANGES-[0-9a-f]{12}\.md$/), 'CHANGES.md'])
  const { outputs } = JSON.parse(readFileSync(path.join(folder, 'out/run.json'), 'utf8')) as { outputs: object }
  expect(outputs).toMatchObject({ a: 'step_outputs/CHANGES.md', c: 'step_outputs/%63on.txt' })
})
