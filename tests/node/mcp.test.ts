/** The tools as an assistant meets them: the official client of both eras on the real server, over stdio and over HTTP. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CoreRun } from '../../bindings/core.js'
import { loadCore } from '../../node/loader.js'
import { planCard } from '../../node/plan-card.js'
import { Process } from './cli-process.js'
import { ended, eras, idOf, overHttp, overStdio, Place, planOf, step, type Connection } from './mcp-client.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

const place = new Place()
let core: CoreRun
let server: Process
let url = ''
let token = ''
const connections: Connection[] = []
beforeAll(async () => {
  core = new CoreRun(await loadCore())
  writeFileSync(path.join(place.root, 'notes.md'), '# Cache\n\nThe cache is cleared by removing its folder.\n')
  writeFileSync(path.join(place.root, 'long.md'), `# Long\n${'A line about zebras and their stripes.\n'.repeat(2000)}`)
  place.write('outside.json', JSON.stringify(planOf(step('a'))))
  place.write('outside.txt', 'not for models')
  symlinkSync('../outside.json', path.join(place.root, 'link.json'))
  symlinkSync('../outside.txt', path.join(place.root, 'link.txt'))
  mkdirSync(path.join(place.root, 'plans'))
  writeFileSync(
    path.join(place.root, 'plans/good.json'),
    JSON.stringify(planOf(step('a', { context: { files: ['data.txt'] } }))),
  )
  writeFileSync(path.join(place.root, 'plans/data.txt'), 'data')
  server = new Process(place.words('--http', '0', '--budget', '1').slice(1), { env: place.env })
  await server.untilSaid('MCP at ')
  url = /MCP at (\S+),/.exec(server.stderr)?.[1] ?? ''
  token = readFileSync(path.join(place.state, 'aetherflow/mcp-token'), 'utf8').trim()
})
afterAll(async () => {
  for (const connection of connections) await connection.close()
  server.child.kill('SIGTERM')
  await server.exit()
  core.dispose()
  place.remove()
})

const open = async (way: 'stdio' | 'http', era: (typeof eras)[number]): Promise<Connection> => {
  const made = await (way === 'http' ? overHttp(url, token, era) : overStdio(place, era, '--budget', '1'))
  connections.push(made)
  return made
}

const ways = eras.flatMap((era) => (['stdio', 'http'] as const).map((way) => [way, era] as const))

describe.each(ways)('over %s, %s era', (way, era) => {
  let it: Connection
  beforeAll(async () => void (it = await open(way, era)))

  test('speaks that era, and lists eight tools in at most 2,000 tokens', async () => {
    expect(it.client.getProtocolEra()).toBe(era)
    const { tools } = await it.client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      ...['check_plan', 'explain_plan', 'run_plan', 'run_status', 'read_output', 'cancel_run', 'search_docs', 'usage'],
    ])
    const size = core.estimateTokens(JSON.stringify(tools))
    console.log(`tool list: ${size} tokens`)
    expect(size).toBeGreaterThan(300)
    expect(size).toBeLessThanOrEqual(2000)
  })

  test('checks, explains, runs, tells the state, hands out pages', async () => {
    const { call } = it
    const broken = await call('check_plan', { plan: { steps: [{ id: 'a', description: 'x' }] } })
    expect(broken.text).toMatch(
      /^not ok \(1 error\)\nplan\.missing at \/steps\/0\/type: .*\n {2}add the required member$/,
    )
    const plan = planOf(
      step('a'),
      step('b'),
      step('c', { description: 'Sum up {{steps.a.output}} {{steps.b.output}}' }),
    )
    expect((await call('check_plan', { plan })).text).toMatch(/^ok: 3 steps, 2 dependencies, 0 warnings/)
    expect((await call('explain_plan', { plan })).text).toMatch(/^3 steps, .*\ncost .* expected/)
    const began = await call('run_plan', { plan, wait_ms: 20_000 })
    const run = await ended(call, idOf(began))
    expect(run.text).toMatch(
      /^run \S+ is done: 3 of 3 steps ok, .* of \$1\.00 \(simulated: paced\)\noutputs in aetherflow-out\//,
    )
    const id = idOf(run)
    const whole = await call('read_output', { run_id: id, step: 'c' })
    const [head = '', ...rest] = whole.text.split('\n')
    const length = Number(/of (\d+)\]/.exec(head)?.[1])
    let pages = ''
    for (let offset = 0; offset < length;) {
      const page = await call('read_output', { run_id: id, step: 'c', offset, limit: 100 })
      pages += page.text.slice(page.text.indexOf('\n') + 1)
      offset = Number(/next_offset (\d+)/.exec(page.text)?.[1] ?? length)
    }
    expect(pages).toBe(rest.join('\n'))
    expect(pages).toHaveLength(length)
  })

  test('runs a plan that spreads, and tells of many parts in few words', async () => {
    const { call } = it
    const items = Array.from({ length: 200 }, (_, at) => `item ${at}`)
    const each = step('each', { description: 'Look at {{item}}', for_each: items, max_tokens: 60 })
    const plan = planOf(each, step('end', { description: 'Sum up {{steps.each.output}}' }))
    const checked = await call('check_plan', { plan })
    expect(checked.text).toMatch(/^ok: 2 steps, 1 dependency/)
    expect(checked.text).toContain('each: spreads into 200 steps')
    const explained = await call('explain_plan', { plan })
    expect(explained.text).toMatch(/at most 201 calls/)
    const run = await ended(call, idOf(await call('run_plan', { plan, wait_ms: 20_000 })))
    expect(run.text).toContain('is done: 202 of 202 steps ok')
    expect(run.text).toMatch(/^each ok .*, 200 of 200 parts ok$/m)
    for (const { text } of [checked, explained, run]) expect(core.estimateTokens(text)).toBeLessThan(600)
    const part = await call('read_output', { run_id: idOf(run), step: 'each[199]' })
    expect(part.text).toMatch(/^\[each\[199\]: characters 0 to /)
  })

  test('cancels a run, which goes on later with what it had', async () => {
    const { call } = it
    place.play({ groq: 3_600_000 })
    const began = await call('run_plan', { plan: planOf(step('quick'), step('slow', { provider: 'groq' })) })
    const id = idOf(began)
    const cancelled = await call('cancel_run', { run_id: id })
    expect(cancelled.text).toMatch(new RegExp(`was cancelled.*\n(?:.*\n)?to go on: run_plan with resume ${id}`))
    place.play({})
    await call('run_plan', { resume: id })
    expect((await ended(call, id)).text).toContain('is done: 2 of 2 steps ok')
  })

  test('hears of progress, breaks off a call that waits, and the run goes on', async () => {
    place.play({ groq: 3_600_000 })
    const plan = planOf(step('a'), step('slow', { provider: 'groq' }))
    const id = idOf(await it.call('run_plan', { plan }))
    const stop = new AbortController()
    const onprogress = (): void => stop.abort()
    const waiting = it.call('run_status', { run_id: id, wait_ms: 20_000 }, { signal: stop.signal, onprogress })
    await expect(waiting).rejects.toThrow()
    expect((await it.call('run_status', { run_id: id })).text).toContain('is running: 1 of 2')
    expect((await it.call('cancel_run', { run_id: id })).text).toContain('was cancelled')
  })

  test('has the card as an answer and as a prompt', async () => {
    expect((await it.call('search_docs')).text).toBe(planCard)
    const { messages } = await it.client.getPrompt({ name: 'write_plan', arguments: { task: 'Tidy up' } })
    expect(messages[0]?.content).toEqual({ type: 'text', text: `${planCard}\nThe task: Tidy up` })
  })
})

describe('what a client cannot do', () => {
  let it: Connection
  beforeAll(async () => void (it = await open('stdio', 'modern')))

  test.each([
    ['../outside.json'],
    ['link.json'],
    ['/etc/passwd'],
    ['plans/../../outside.json'],
    [`${'../'.repeat(20)}etc/hostname`],
  ])('name the plan %s, which lies outside of the root', async (file) => {
    for (const tool of ['check_plan', 'explain_plan', 'run_plan'])
      expect(await it.call(tool, { path: file })).toEqual({
        isError: true,
        text: 'path: not a file below the root of this server',
      })
  })

  test('have files sent that lie outside of the root, or are not for strangers', async () => {
    writeFileSync(path.join(place.root, '.env'), 'KEY=secret')
    for (const file of ['../outside.txt', 'link.txt', '/etc/hostname', '.env', 'plans/../../outside.txt']) {
      const plan = planOf(step('a', { context: { files: [file] } }))
      const answers = [await it.call('check_plan', { plan }), await it.call('run_plan', { plan })]
      for (const { text } of answers) expect([file, text]).toEqual([file, expect.stringMatching(/host\.file|plan\./)])
      expect([file, idOf(answers[1]!)]).toEqual([file, ''])
    }
    expect((await it.call('check_plan', { path: 'plans/good.json' })).text).toMatch(/^ok: 1 step/)
  })

  test('guess a run, or reach one of another root', async () => {
    const other = new Place()
    const stranger = await overStdio(other, 'modern', '--budget', '1')
    try {
      const theirs = idOf(await stranger.call('run_plan', { plan: planOf(step('a')), wait_ms: 20_000 }))
      const mine = idOf(await it.call('run_plan', { plan: planOf(step('a')), wait_ms: 20_000 }))
      expect(theirs).toMatch(/^r[0-9a-z]{25}$/)
      expect(mine.slice(0, 6)).not.toBe(theirs.slice(0, 6))
      const names = [theirs, 'r'.padEnd(26, '0'), '../../x', mine.toUpperCase(), '', `${mine}/../${mine}`]
      for (const run_id of names)
        for (const [tool, more] of [
          ['run_status', {}],
          ['cancel_run', {}],
          ['read_output', { step: 'a' }],
        ] as const)
          expect(await it.call(tool, { run_id, ...more })).toEqual({
            isError: true,
            text: 'run_id: there is no such run',
          })
      expect((await it.call('run_plan', { resume: theirs })).text).toBe('run_id: there is no such run')
    } finally {
      await stranger.close()
      other.remove()
    }
  })

  test('spend without a budget, or more than is allowed', async () => {
    const plan = planOf(step('a'))
    expect((await it.call('run_plan', { plan, budget_usd: 50, wait_ms: 20_000 })).text).toContain(' of $1.00')
    expect((await it.call('run_plan', { plan, budget_usd: 0.25, wait_ms: 20_000 })).text).toContain(' of $0.2500')
    const unbounded = await overStdio(place, 'legacy')
    connections.push(unbounded)
    expect(await unbounded.call('run_plan', { plan })).toEqual({
      isError: true,
      text: expect.stringMatching(/^budget_usd: say how much the run may cost/) as unknown,
    })
    writeFileSync(path.join(place.root, 'aetherflow.config.json'), '{"budget":{"run":{"usd":0.125}}}')
    expect((await unbounded.call('run_plan', { plan, wait_ms: 20_000 })).text).toContain(' of $0.1250')
    writeFileSync(path.join(place.root, 'aetherflow.config.json'), '{}')
  })

  test.each([
    ['run_status', {}, '"run_id" is missing'],
    ['run_plan', { plam: {} }, `there is no "plam"; did you mean 'plan'?`],
    ['run_plan', { budget_usd: -1 }, '"budget_usd" is to be at least 0'],
    ['run_plan', { prompts: [1] }, '"prompts" is to be a list of texts'],
    ['run_status', { run_id: 'x', wait_ms: 1e9 }, '"wait_ms" is to be between 0 and 20000'],
    ['read_output', { run_id: 'x', step: 5 }, '"step" is to be a text'],
    ['usage', { days: 1.5 }, '"days" is to be a whole number'],
  ])('call %s with %j', async (tool, given, words) => {
    const { text, isError } = await it.call(tool, given)
    expect([isError, text]).toEqual([true, expect.stringContaining(words)])
  })

  test('have more runs at once than the server allows', async () => {
    const narrow = await overStdio(place, 'modern', '--budget', '1', '--max-runs', '1')
    connections.push(narrow)
    place.play({ groq: 3_600_000 })
    const plan = planOf(step('slow', { provider: 'groq' }))
    const [one, other] = await Promise.all([narrow.call('run_plan', { plan }), narrow.call('run_plan', { plan })])
    expect([one.isError, other.isError].sort()).toEqual([false, true])
    expect((one.isError ? one : other).text).toMatch(/^run_plan: 1 runs? (is|are) at work already/)
    await narrow.call('cancel_run', { run_id: idOf(one.isError ? other : one) })
  })

  test('have a link called aetherflow-out lead elsewhere', async () => {
    const other = new Place()
    mkdirSync(path.join(other.root, '../elsewhere'))
    symlinkSync('../elsewhere', path.join(other.root, 'aetherflow-out'))
    const stranger = await overStdio(other, 'modern', '--budget', '1')
    try {
      const { text, isError } = await stranger.call('run_plan', { plan: planOf(step('a')) })
      expect([isError, text]).toEqual([true, expect.stringContaining('leads out of the root')])
    } finally {
      await stranger.close()
      other.remove()
    }
  })
})

describe('sizes', () => {
  test('no answer is longer than 8,000 characters, and a summary has at most 25 tokens a step', async () => {
    const { call } = await open('stdio', 'modern')
    const many = Array.from({ length: 350 }, (_, index) => step(`step-${index}`))
    const long = await call('run_plan', { plan: planOf(...many), wait_ms: 20_000 })
    const id = idOf(long)
    const first = await ended(call, id)
    const offset = Number(/run_status with offset (\d+)/.exec(first.text)?.[1])
    expect(offset).toBeGreaterThan(50)
    const second = await call('run_status', { run_id: id, offset })
    expect(second.text).toContain(`step-${offset} ok`)
    const ten = await call('run_plan', { prompts: Array.from({ length: 10 }, () => 'x'), wait_ms: 20_000 })
    const perStep = core.estimateTokens((await ended(call, idOf(ten))).text) / 10
    console.log(`summary: ${perStep.toFixed(1)} tokens a step of ten, head included`)
    expect(perStep).toBeLessThanOrEqual(25)
    const wrong = Array.from({ length: 400 }, (_, index) => ({ id: `${index}`, type: 'analysis' }))
    const answers = [
      ...[long, first, second],
      await call('check_plan', { plan: planOf(...wrong) }),
      await call('check_plan', { plan: 'x'.repeat(100_000) }),
      await call('explain_plan', { plan: planOf(...many) }),
      await call('search_docs', { query: 'zebras and their stripes', tokens: 1800 }),
      await call('run_plan', { plan: planOf(...wrong), budget_usd: 1 }),
      await call('run_status', { run_id: 'y'.repeat(20_000) }),
    ]
    for (const { text } of answers) expect(text.length).toBeLessThanOrEqual(8000)
    const longest = Math.max(...answers.map(({ text }) => text.length))
    console.log(`longest answer: ${longest} characters`)
    expect(longest).toBeGreaterThan(4000)
  })

  test('documents are found, and what runs answered is none', async () => {
    const { call } = await open('stdio', 'legacy')
    const { text } = await call('search_docs', { query: 'How is the cache cleared?' })
    expect(text).toContain('## notes.md')
    expect(text).toContain('removing its folder')
    expect(readdirSync(path.join(place.root, 'aetherflow-out')).length).toBeGreaterThan(0)
    expect(text).not.toContain('aetherflow-out')
    // What is not for providers is not for an assistant either.
    writeFileSync(path.join(place.root, 'credentials.json'), '{"pelican": "the pelican sleeps at noon"}')
    writeFileSync(path.join(place.root, 'birds.md'), '# Birds\n\nA pelican sleeps at night.\n')
    const birds = await call('search_docs', { query: 'When does the pelican sleep?' })
    expect(birds.text).toContain('at night')
    expect(birds.text).not.toContain('at noon')
  })
})

describe('over HTTP', () => {
  const post = (headers: Record<string, string>) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
    }).then(({ status }) => status)
  const auth = () => ({ authorization: `Bearer ${token}` })

  test('nobody is served without the token, nor one with another', async () => {
    expect(await post(auth())).toBe(200)
    expect(await post({})).toBe(401)
    expect(await post({ authorization: `Bearer ${token}x` })).toBe(401)
    expect(await post({ authorization: token })).toBe(401)
    expect(token).toMatch(/^[\w-]{43}$/)
  })

  test('a foreign Origin is refused before the token is looked at, one of this machine is not', async () => {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1.evil.example',
      'http://localhost@evil.example',
    ])
      expect([origin, await post({ ...auth(), origin }), await post({ origin })]).toEqual([origin, 403, 403])
    for (const origin of ['http://localhost:3000', 'http://127.0.0.1:8080'])
      expect([origin, await post({ ...auth(), origin })]).toEqual([origin, 200])
  })

  test('a foreign Host is refused: a page may give its own name this address', async () => {
    const { request } = await import('node:http')
    const status = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const { port } = new URL(url)
        request({ port, host: '127.0.0.1', path: '/mcp', method: 'POST', headers: { ...auth(), host } }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end('{}')
      })
    expect(await status('evil.example')).toBe(403)
    expect(await status('127.0.0.1.evil.example:8791')).toBe(403)
    expect(await status('localhost')).not.toBe(403)
  })
})
