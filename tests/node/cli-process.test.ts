import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { on } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { aetherflow, jsonLines, plan, Process, program, scratch } from './cli-process.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(30_000)

let folder = ''
let remove = (): void => {}
beforeEach(() => void ({ folder, remove } = scratch()))
afterEach(() => {
  Process.endAll()
  remove()
})

/** Simulated steps of these many answer tokens, none waiting for another. */
const sized = (sizes: Readonly<Record<string, number>>): string =>
  JSON.stringify({
    task_id: 't',
    description: 'd',
    steps: Object.entries(sizes).map(([id, estimated_tokens]) => ({
      id,
      type: 'testing',
      description: 'x',
      estimated_tokens,
    })),
  })

/** Waits until the folder has an entry of this name. */
async function appears(parent: string, name: string): Promise<void> {
  const changes = watch(parent)
  try {
    if (existsSync(path.join(parent, name))) return
    for await (const _ of on(changes, 'change')) if (existsSync(path.join(parent, name))) return
  } finally {
    changes.close()
  }
}

describe('interruption', () => {
  /** With the simulated Groq and DeepSeek, ten times as fast as life: well under a second, and about 18 s. */
  const plan = sized({ short: 20, long: 10_000 })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s keeps what is done, and still writes the report',
    async (signal) => {
      writeFileSync(path.join(folder, 'p.json'), plan)
      const running = new Process(['run', 'p.json', '--simulate', '--json', '--output', 'out'], {
        cwd: folder,
      })
      await running.until('"type":"done"')
      running.child.kill(signal)
      const { code, stdout, stderr } = await running.exit()
      expect([code, stderr]).toEqual([130, ''])
      expect(jsonLines(stdout).at(-1)).toMatchObject({
        type: 'result',
        outcome: 'cancelled',
        report: { counts: { done: 1, cancelled: 1 } },
      })
      expect(readdirSync(path.join(folder, 'out/step_outputs'))).toEqual(['short.md'])
      expect(readFileSync(path.join(folder, 'out/report.md'), 'utf8')).toContain('| long | cancelled |')
    },
    20_000,
  )

  /** About two seconds, so that the signal finds it under way. */
  const enduring = sized({ short: 20, long: 1500 })

  test.each<[string, string[]]>([
    ['nohup', ['nohup', process.execPath, program]],
    ['no terminal', [process.execPath, program]],
  ])('SIGHUP under %s: the run goes on to its end', async (_, command) => {
    writeFileSync(path.join(folder, 'p.json'), enduring)
    const words = ['run', 'p.json', '--simulate', '--json', '--output', 'out']
    const running = new Process(words, { cwd: folder, command })
    await running.until('"type":"done"')
    running.child.kill('SIGHUP')
    const { code, stdout } = await running.exit()
    expect(code).toBe(0)
    expect(jsonLines(stdout).at(-1)).toMatchObject({ outcome: 'ok', report: { counts: { done: 2 } } })
  })

  const pty = spawnSync('script', ['--version']).status === 0
  if (!pty) console.warn('skipped: a terminal that is closed needs `script` (util-linux or bsdutils)')
  ;(pty ? test : test.skip)(
    'a terminal that is closed ends the run in order, its journal and report whole',
    async () => {
      writeFileSync(path.join(folder, 'p.json'), plan)
      const run = `"${process.execPath}" "${program}" run p.json --simulate --quiet --output out`
      // The outer shell dies with the terminal, by which all in front are told; the inner one stays to say how the run ended.
      const line = `(trap '' HUP; ${run}; echo $? > code.part; mv code.part code); true`
      const running = new Process(['-qfc', line, '/dev/null'], { cwd: folder, command: ['script'] })
      mkdirSync(path.join(folder, 'out/step_outputs'), { recursive: true })
      await appears(path.join(folder, 'out/step_outputs'), 'short.md')
      running.child.kill('SIGKILL')
      await appears(folder, 'code')
      // The shell's number for an end by SIGHUP.
      expect(readFileSync(path.join(folder, 'code'), 'utf8').trim()).toBe('129')
      expect(readFileSync(path.join(folder, 'out/report.md'), 'utf8')).toContain('| long | cancelled |')
      const replayed = await aetherflow(['replay', 'out', '--json'], '', { cwd: folder })
      expect([replayed.code, replayed.stderr]).toEqual([0, ''])
    },
  )

  test('two signals at once', async () => {
    const running = new Process(['run', '-', '--simulate', '--json'])
    running.child.stdin.end(plan)
    await running.until('"type":"call"')
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM')
    expect((await running.exit()).code).toBe(130)
  })

  test('a plan that is still awaited from a silent pipe', async () => {
    const running = new Process(['run', '-', '--simulate', '--json'])
    running.child.stdin.write(plan.slice(0, -20))
    await running.until('"type":"call"')
    running.child.kill('SIGINT')
    const { code, stdout } = await running.exit()
    expect(code).toBe(130)
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', outcome: 'cancelled' })
  })

  test('nobody reads any more: the run ends, quietly', async () => {
    const running = new Process(['run', '-', '--simulate'])
    running.child.stdin.end(plan)
    await running.until('start')
    running.child.stdout.destroy()
    expect(await running.exit()).toMatchObject({ code: 130, stderr: '' })
  })
})

test('a plan that streams in starts before its end', async () => {
  const text = sized({ first: 5, second: 5 })
  const running = new Process(['run', '-', '--simulate', 'instant', '--json'])
  const cut = text.indexOf('"second"')
  running.child.stdin.write(text.slice(0, cut))
  // Nothing more is sent until the first step is done.
  await running.until('"type":"done"')
  running.child.stdin.end(text.slice(cut))
  const { code, stdout } = await running.exit()
  expect(code).toBe(0)
  const order = jsonLines(stdout).flatMap(({ type, step }) => (type === 'done' ? [step] : []))
  expect(order).toEqual(['first', 'second'])
})

/** Whether this machine lets an ordinary process mount a small file system of its own. */
const namespaces =
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt'], { timeout: 10_000 }).status === 0
if (!namespaces) console.warn('skipped: a full disk needs `unshare -rm` and a tmpfs, which this machine refuses')

;(namespaces ? test : test.skip)(
  'a full disk: host.io_failed with the path, what was done is kept',
  async () => {
    const disk = path.join(folder, 'disk')
    mkdirSync(disk)
    writeFileSync(
      path.join(folder, 'p.json'),
      sized(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`s${i}`, 500]))),
    )
    // What the small disk holds is gone with the process: it is listed before.
    const script = 'mount -t tmpfs -o size=64k none disk && "$@"; code=$?; find disk -type f; exit $code'
    const command = ['unshare', '-rm', 'sh', '-c', script, 'sh', process.execPath, program]
    const words = [
      'run',
      'p.json',
      '--simulate',
      'instant',
      '--quiet',
      '--concurrency',
      'deepseek=1',
      '--output',
      'disk/out',
    ]
    const { code, stdout, stderr } = await aetherflow(words, '', { cwd: folder, command })
    expect(code).toBe(1)
    // Outputs and journal share the disk: whichever meets its end first is named.
    expect(stderr).toMatch(
      /error host\.io_failed at disk\/out\/(step_outputs\/s\d+\.md|journal\.jsonl): no space left on the device\n/,
    )
    const files = stdout.split('\n').filter((line) => line.startsWith('disk/out/step_outputs/'))
    expect(files.length).toBeGreaterThan(2)
    expect(files.filter((name) => name.endsWith('.part'))).toEqual([])
  },
  20_000,
)

describe('a key', () => {
  const canary = 'canary-4f1c9b77e2d0a6'

  test('never reaches a screen or a file, even when the provider says it back', async () => {
    const requests: string[] = []
    const server = createServer((request, response) => {
      requests.push(String(request.headers.authorization))
      const said = `bad key ${String(request.headers.authorization)} ${canary}`
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message: said, type: said, code: said } }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const config = { providers: { groq: { baseUrl: `http://127.0.0.1:${port}` } } }
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
    const env = { GROQ_API_KEY: canary, AETHERFLOW_DEBUG: '1' }
    const told: string[] = []
    for (const flags of [['--output', 'out'], ['--json'], ['--quiet']]) {
      const words = ['run', plan('diamond'), '--config', 'config.json', ...flags]
      const { code, stdout, stderr } = await aetherflow(words, '', { cwd: folder, env })
      expect(code).toBe(1)
      told.push(stdout, stderr)
    }
    server.close()
    expect(requests).toContain(`Bearer ${canary}`)
    const files = ['run.json', 'report.md'].map((name) => readFileSync(path.join(folder, 'out', name), 'utf8'))
    expect([...told, ...files].filter((text) => text.includes(canary))).toEqual([])
    expect(files[1]).toContain('auth')
  })

  test('in a broken configuration is not quoted', async () => {
    writeFileSync(path.join(folder, 'config.json'), `{"providers":{"groq":{"key":"${canary}",}}}`)
    const { code, stdout, stderr } = await aetherflow(['providers', '--config', 'config.json'], '', { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toMatch(/^error host\.config/)
    expect(stdout + stderr).not.toContain(canary)
  })

  test('providers: present or not, by variable, with prices and their date; never the key', async () => {
    const env = { GROQ_API_KEY: canary }
    const [plain, json] = await Promise.all(
      [[], ['--json']].map((flags) => aetherflow(['providers', '--offline', ...flags], '', { env })),
    )
    expect(plain?.stdout).toMatch(/groq – Groq: key present \(GROQ_API_KEY\)\n/)
    expect(plain?.stdout).toMatch(/deepseek – DeepSeek: no key \(DEEPSEEK_API_KEY\)\n/)
    expect(plain?.stdout).toMatch(/gemini – Gemini: no key \(GEMINI_API_KEY\)\n/)
    const listed = (JSON.parse(json?.stdout ?? '') as { providers: Record<string, unknown>[] }).providers
    const groq = listed.find(({ id }) => id === 'groq')
    expect(groq).toMatchObject({
      keyPresent: true,
      supported: true,
      models: [{ asOf: expect.stringMatching(/^\d{4}-/) }, {}],
    })
    expect(`${plain?.stdout}${json?.stdout}`).not.toContain(canary)
  })
})

test('the examples run without a key', async () => {
  const examples = path.join(path.dirname(plan('x')), '..')
  const names = readdirSync(examples).filter((name) => name.endsWith('.mjs'))
  expect(names.length).toBeGreaterThanOrEqual(6)
  for (const name of names) {
    const command = [process.execPath, path.join(examples, name)]
    const { code, stdout, stderr } = await aetherflow([], '', { command, cwd: folder })
    expect([name, code, stderr]).toEqual([name, 0, ''])
    expect(stdout.split('\n').length).toBeGreaterThan(1)
  }
  expect(existsSync(path.join(folder, 'aetherflow-out'))).toBe(false)
})
