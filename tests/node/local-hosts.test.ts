/** What is told of hosts on one's own machine: their context, their keys, and money that rests on a price that nobody knows. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { RunEvent } from '../../node/index.js'
import { json, startScriptedServer, type ScriptedServer } from '../sim/scripted-server.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

/** Tokens, as the host says at the moment; undefined: the model is not loaded. */
let held: number | undefined
let server: ScriptedServer
const { folder, remove } = scratch()

const step = (id: string, more: object) => ({
  ...{ id, type: 'analysis', description: `say ${id}`, complexity: 0.2, estimated_tokens: 100, dependencies: [] },
  ...more,
})

beforeAll(async () => {
  server = await startScriptedServer((reply, { path: asked }) => {
    if (asked === '/api/ps') {
      const models = held === undefined ? [] : [{ name: 'm', context_length: held }]
      return json(reply, 200, { models })
    }
    if (asked.startsWith('/broken/')) return json(reply, 400, { error: { message: 'no' } })
    if (asked.endsWith('/models')) return json(reply, 200, { data: [{ id: 'm' }] })
    const usage = { prompt_tokens: 1000, completion_tokens: 100 }
    return json(reply, 200, { choices: [{ message: { content: 'said' }, finish_reason: 'stop' }], usage })
  })
  const providers = {
    free: {
      preset: 'ollama',
      baseUrl: `${server.url}/v1`,
      default: 'm',
      models: { m: {}, declared: { context: 512 } },
    },
    priceless: { dialect: 'generic', baseUrl: `${server.url}/v1`, default: 'm', models: { m: {} } },
  }
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ providers }))
  const steps = [
    step('known', { provider: 'free' }),
    step('unknown', { provider: 'priceless' }),
    step('schema', { provider: 'priceless', output: { type: 'object', required: ['x'] }, dependencies: ['unknown'] }),
  ]
  writeFileSync(path.join(folder, 'plan.json'), JSON.stringify({ task_id: 't', description: 'd', steps }))
})
beforeEach(() => void (held = 16_384))
afterAll(async () => {
  await server.close()
  remove()
})

const told = (...words: string[]) => aetherflow([...words, '--config', 'config.json'], '', { cwd: folder })

describe('the context that a host was started with', () => {
  test.each([
    ['as it says', 16_384, '16,384  '],
    ['assumed while it says nothing', undefined, '4,096 assumed  '],
  ])('providers: %s', async (_, tokens, cell) => {
    held = tokens
    const { stdout } = await told('providers')
    expect(stdout).toMatch(new RegExp(`^  m +0 +0 +0 +${cell}`, 'm'))
    expect(stdout).toMatch(/^ {2}declared +0 +0 +0 +512 /m)
    // Of a model without any, nothing is said.
    expect(stdout).toMatch(/priceless: no key needed\n.*\n.*\n {2}model +in +cached +out +as of/)
  })

  test('providers without a network: what the preset assumes', async () => {
    const before = server.received.length
    const { stdout } = await told('providers', '--offline')
    expect(stdout).toContain('4,096 assumed')
    expect(server.received.length).toBe(before)
  })

  test('explain tells it, and counts with it as the run does: a step that it does not hold fails in both', async () => {
    const roomy = await told('explain', 'plan.json')
    expect(roomy.stdout).toContain('free m holds 16,384 tokens of prompt and answer, as its host says')
    expect(roomy.stdout).toMatch(/^known +free m /m)
    held = 64
    const narrow = await told('explain', 'plan.json')
    expect(narrow.stdout).toMatch(/^known +– +fails: /m)
    const ran = await told('run', 'plan.json', '--json', '--no-output')
    expect(events(ran.stdout).find(({ type }) => type === 'failed')).toMatchObject({
      step: 'known',
      failure: 'too_large',
    })
  })
})

const events = (stdout: string): RunEvent[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RunEvent)

describe('a price that nobody knows is marked wherever money stands', () => {
  test('events: of the step and of the run, and only there', async () => {
    const { stdout } = await told('run', 'plan.json', '--json', '--no-output')
    const marked = events(stdout).flatMap((event) =>
      'costMicroUsd' in event
        ? [`${event.type} ${'step' in event ? event.step : ''} ${event.priceAssumed === true}`]
        : [],
    )
    expect(marked.sort()).toEqual(
      [
        ...['callEnd known false', 'callEnd unknown true', 'done known false', 'done unknown true'],
        ...Array<string>(marked.filter((one) => one.startsWith('callEnd schema')).length).fill('callEnd schema true'),
        ...['failed schema true', 'finish  true'],
      ].sort(),
    )
    expect(marked.filter((one) => one.startsWith('callEnd schema')).length).toBeGreaterThan(0)
  })

  test('lines of the run and its summary', async () => {
    const { stdout } = await told('run', 'plan.json', '--no-output')
    expect(stdout).toMatch(/done {4}known \(.*, 100 tokens, \$0\)/)
    expect(stdout).toMatch(/done {4}unknown \(.*, 100 tokens, ~\$0\.0150 at an assumed price\)/)
    expect(stdout).toMatch(/✗ 2 of 3 steps done, 1 failed in .*, ~\$0\.\d+ at assumed prices/)
  })

  test('explain', async () => {
    const { stdout } = await told('explain', 'plan.json')
    expect(stdout).toMatch(/^unknown +priceless m .*\$50\.00 per million assumed, its price is unknown\)/m)
    expect(stdout).toMatch(/^known +free m .*\$0 per million\)/m)
  })
})
