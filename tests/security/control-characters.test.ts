/** What others wrote is data: no text of a model, plan or provider does anything to a terminal or a report. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { main } from '../../node/cli/program.js'
import type { Host } from '../../node/cli/host.js'
import { systemClock } from '../../web/standard/clock.js'
import { FaultServer } from '../faults/fault-server.js'
import { configOf, once, plan, step } from '../faults/host.js'
import { answer, refusal } from '../faults/wire.js'
import { jsonLines, scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { Screen } from '../node/render-screen.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

/** Clears the screen, sets the title, writes the clipboard, rings, deletes, overwrites, turns the writing round. */
const ansi =
  '\u001b[2J\u001b]0;owned\u0007\u001b]52;c;ZXZpbA==\u0007\u009b31m\u0085\u0090q\u009c\u0007\b\u007f\u202etxt\u2066\u200b\ufeff\u061c\u{e0041}'
/** What Markdown and HTML could make of it. */
const markup =
  '<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) ![y](http://evil.example/p.png) | a |\n# head\n<!-- -->'
/** Everything but line ends (and tabs, which no one fears) that a terminal might obey. */
const hostile = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const found = (text: string): string[] => [...new Set(text.match(hostile))].map((each) => JSON.stringify(each))

let server: FaultServer
beforeAll(async () => void (server = await FaultServer.start()))
afterAll(() => server.close())

let folder = ''
let remove = (): void => {}
beforeEach(() => {
  ;({ folder, remove } = scratch())
  const error = { error: { message: `no ${ansi} ${markup}`, type: ansi, code: `c${ansi}` } }
  server.script([
    { step: 'refused', fault: refusal(400, error) },
    { step: 'page', fault: refusal(403, `${ansi}${markup}`) },
    { fault: answer(`before ${ansi} after ${markup}`) },
  ])
  const source = {
    ...plan(
      step('ok', { type: `odd${ansi}`, description: `#step=ok# ${ansi} ${markup}` }),
      step(`id \u202e\u2066\u200b ${markup.slice(0, 60)}`, { description: '#step=refused#', provider: 'alpha' }),
      step('page', { description: '#step=page#', [`member${ansi}`]: 1 }),
      step('after', { dependencies: ['page'] }),
    ),
    task_id: `task ${ansi} ${markup}`,
    description: `plan ${ansi} ${markup}`,
  }
  writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(source))
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(configOf(server, { policy: once })))
})
afterEach(() => remove())

const withConfig = (...words: string[]): string[] => [...words, '--config', path.join(folder, 'config.json')]
const at = (name: string): string => path.join(folder, name)

describe('pipes', () => {
  test.each([
    ['run', []],
    ['run --quiet', ['--quiet']],
    ['run --json', ['--json']],
  ])('%s', async (_, flags) => {
    const words = withConfig('run', at('plan.json'), '--output', at('out'), ...flags)
    const { code, stdout, stderr } = await aetherflow(words)
    expect(code).toBe(1)
    expect(found(stdout + stderr)).toEqual([])
    if (flags[0] === '--json') expect(JSON.stringify(jsonLines(stdout))).toContain('owned')
  })

  test.each([['check'], ['explain'], ['explain', '--json']])('%s %s', async (command, ...flags) => {
    const config = ['--config', at('config.json')]
    const { code, stdout, stderr } = await aetherflow([command, at('plan.json'), ...flags, ...config])
    expect(code).toBe(0)
    expect(found(stdout + stderr)).toEqual([])
  })

  test('an error about a hostile plan', async () => {
    const hostileIds = plan(step('a', { dependencies: ['\u202e\u2066gone'] }))
    const { code, stderr } = await aetherflow(['check', '-'], JSON.stringify(hostileIds))
    expect(code).toBe(2)
    expect(found(stderr)).toEqual([])
  })

  test('the error lines of --json and of the file names', async () => {
    const name = `absent \u001b[2J\u202e.json`
    const { stdout, stderr } = await aetherflow(['run', name, '--json'])
    expect(stderr).toContain('absent')
    expect(found(stdout + stderr)).toEqual([])
  })
})

describe('the report', () => {
  test('shows everything and does nothing', async () => {
    await aetherflow(withConfig('run', at('plan.json'), '--output', at('out')))
    const report = readFileSync(at('out/report.md'), 'utf8')
    expect(found(report)).toEqual([])
    expect(report).toContain('alert')
    expect(report).not.toMatch(/<\w|<!|<\//)
    // No link, picture or heading that the report did not make itself.
    const own = /(?<!\\)\]\((?:step_outputs\/[A-Za-z0-9._%-]+|timeline\.svg)\)/g
    expect(report.match(own)).not.toBeNull()
    expect(report.replace(own, '').replace(/^!\[Timeline of /m, '')).not.toMatch(/(?<!\\)\]\(|(?<!\\)!\[/)
    expect(report).not.toMatch(/https?:\/\/evil/)
    expect(report.split('\n').filter((line) => /^# /.test(line)).length).toBe(1)
    const rows = report.split('\n').filter((line) => line.startsWith('| '))
    const cells = (line: string): number => line.split(/(?<!\\)\|/).length
    for (const row of rows) expect(cells(row)).toBeGreaterThan(2)
    const steps = report.slice(report.indexOf('## Steps')).split('\n\n')[1]?.split('\n') ?? []
    expect(new Set(steps.map(cells)).size).toBe(1)
  })

  test('run.json holds it as data', async () => {
    await aetherflow(withConfig('run', at('plan.json'), '--output', at('out')))
    const text = readFileSync(at('out/run.json'), 'utf8')
    expect((JSON.parse(text) as { report: { taskId: string } }).report.taskId).toContain('\u001b[2J')
    expect(text.match(/[\u0000-\u0009\u000b-\u001f]/g)).toBeNull()
  })

  test('an answer is kept as it came, in its file only', async () => {
    await aetherflow(withConfig('run', at('plan.json'), '--output', at('out')))
    expect(readFileSync(at('out/step_outputs/ok.md'), 'utf8')).toContain('\u001b[2J')
  })
})

describe('a terminal', () => {
  test.each([
    ['run', () => withConfig('run', at('plan.json'))],
    ['generate', () => withConfig('generate', '#step=ok# hello')],
    ['explain', () => withConfig('explain', at('plan.json'))],
    ['check', () => ['check', at('plan.json')]],
    ['check --dot', () => ['check', at('plan.json'), '--dot']],
  ])('%s: only the program itself moves the cursor', async (_, words) => {
    const [stdout, stderr] = [new Screen(80, 24), new Screen(80, 24)]
    const host: Host = {
      stdin: Object.assign((async function* () {})(), { destroy: () => undefined }),
      stdout,
      stderr,
      env: {},
      clock: systemClock,
      signal: new AbortController().signal,
    }
    await main(words(), host)
    const text = [...stdout.writes, ...stderr.writes].join('')
    expect(text).not.toBe('')
    // Colours, cursor movements, erasing and switching of modes: what the renderer writes itself.
    const own = /\u001b\[(?:\d+(?:;\d+)*m|\??\d*[AJKhl])|\r/g
    expect(found(text.replace(own, ''))).toEqual([])
    expect(text).not.toMatch(/owned\u0007|\u001b\]|\u001b\[2J/)
  })
})
