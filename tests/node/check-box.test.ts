/** What programs of checks can do in each box that this machine has: nothing but compute and print. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:net'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boxKinds, boxOfKind, openBox, type BoxJob, type BoxResult } from '../../node/check/box.js'
import { removeLeftBoxes } from '../../node/check/left-boxes.js'
import { mutantsOf } from '../../node/check/mutants.js'
import { runTests, testsAreWeak } from '../../node/check/test-run.js'

const program = (text: string, limits: BoxJob['limits'] = {}): BoxJob => ({
  files: [
    { path: 'main.cjs', text },
    { path: 'data/word.txt', text: 'hello' },
  ],
  command: ['node', 'main.cjs'],
  limits,
})

let folder: string
let server: Server
let connections = 0
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aetherflow-outside-'))
  writeFileSync(join(folder, 'secret.txt'), 'the key')
  server = createServer((socket) => {
    ++connections
    socket.on('error', () => {})
    socket.end('hello')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await new Promise((resolve) => server.close(resolve))
})

/** Of this process: others on the machine have boxes too, and may have been killed. */
const leftovers = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`aetherflow-box-${process.pid}-`))

const boxes = await Promise.all(boxKinds.map(async (kind) => ({ kind, box: await boxOfKind(kind) })))

describe.each(boxes)('$kind', ({ kind, box }) => {
  if (box === undefined) {
    test.skip(`this machine has no box '${kind}'`, () => {})
    return
  }
  const run = (job: BoxJob): Promise<BoxResult> => box.run(job)

  test('a program sees its files, and its exit code and output come back', async () => {
    const read = await run(
      program('console.log(require("fs").readFileSync("data/word.txt", "utf8")); process.exitCode = 3'),
    )
    expect(read).toMatchObject({ exit: 3, stopped: undefined, output: 'hello\n', outputBytes: 6 })
    expect(leftovers()).toEqual([])
  })

  test('also where the starter shows its new files to nobody', async () => {
    const before = process.umask(0o077)
    try {
      const read = await run(program('console.log(require("fs").readFileSync("data/word.txt", "utf8"))'))
      expect(read).toMatchObject({ exit: 0, output: 'hello\n' })
    } finally {
      process.umask(before)
    }
  })

  test('neither keys nor anything else of the environment goes in', async () => {
    process.env['DEEPSEEK_API_KEY'] = 'sk-of-this-test'
    const seen = await run(program('console.log(JSON.stringify(process.env))'))
    delete process.env['DEEPSEEK_API_KEY']
    expect(seen.output).not.toContain('sk-of-this-test')
    const names = Object.keys(JSON.parse(seen.output) as Record<string, string>)
    expect(
      names.filter((name) => !['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'PWD', 'OLDPWD', 'SHLVL', '_'].includes(name)),
    ).toEqual([])
  })

  test('nothing outside can be read or written', async () => {
    const tries = `const fs = require('fs'), out = ${JSON.stringify(folder)}
      const attempt = (what) => { try { what(); console.log('done') } catch (error) { console.log('refused') } }
      attempt(() => fs.readFileSync(out + '/secret.txt'))
      attempt(() => fs.writeFileSync(out + '/new.txt', 'x'))
      attempt(() => fs.readdirSync(${JSON.stringify(process.cwd())}))
      attempt(() => fs.writeFileSync('/usr/aetherflow-test', 'x'))
      attempt(() => process.kill(${process.pid}, 0))`
    const result = await run(program(tries))
    const killable = kind === 'node' ? 'done' : 'refused'
    expect(result.output.trim().split('\n')).toEqual(['refused', 'refused', 'refused', 'refused', killable])
    expect(existsSync(join(folder, 'new.txt'))).toBe(false)
  })

  test('no network, or the box says that it is open', async () => {
    const before = connections
    const { port } = server.address() as AddressInfo
    const result = await run(
      program(
        `require('net').connect(${port}, '127.0.0.1').on('error', () => console.log('no')).on('data', () => console.log('yes'))`,
      ),
    )
    const open = box.cannot.includes('the network') === true
    expect(result.output).toBe(open ? 'yes\n' : 'no\n')
    expect(connections - before).toBe(open ? 1 : 0)
  })

  test.each([
    ['time', 'for (;;);', { timeMs: 400 }],
    [
      'output',
      'const s = "x".repeat(1 << 20); for (let i = 0; i < 100; ++i) process.stdout.write(s)',
      { outputBytes: 4 << 20 },
    ],
  ] as const)('stopped for its %s', async (why, text, limits) => {
    const result = await run(program(text, limits))
    expect(result).toMatchObject({ exit: undefined, stopped: why })
    expect(result.output.length).toBeLessThanOrEqual(64 << 10)
  })

  test('memory ends, in the heap and beside it', async () => {
    const limits = { memoryBytes: 200 << 20, timeMs: 20_000 }
    for (const grow of ['Buffer.alloc(8 << 20, 1)', 'new Array(1e6).fill(1.5)']) {
      const result = await run(program(`const all = []; for (;;) all.push(${grow})`, limits))
      expect(result.exit).not.toBe(0)
      expect(result.stopped ?? 'memory').toBe('memory')
    }
  })

  // Only a system that bounds processes itself is quicker than they are: without that, this machine would be at stake.
  const unbounded = box.cannot.some((one) => one.startsWith('more processes'))
  const where = unbounded ? test.skip : test
  where('processes end: a fork bomb, and one that is left behind', async () => {
    const bomb = {
      files: [],
      // `wait` is no process: the first shell stays, also when no other can begin.
      command: ['sh', '-c', 'sleep 60 & b() { b | b & }; b; wait'],
      limits: { processes: 16, timeMs: 20_000 },
    }
    if (kind === 'node') return expect(box.run(bomb)).rejects.toMatchObject({ code: 'check.not_allowed' })
    // What runs beside it is bounded by itself.
    const words = 'for i in 1 2 3 4 5 6; do ls / > /dev/null || exit 9; sleep 0.05; done; echo on'
    const other = { files: [], command: ['sh', '-c', words], limits: { processes: 16, timeMs: 20_000 } }
    const [result, beside] = await Promise.all([run(bomb), run(other)])
    expect(beside).toMatchObject({ exit: 0, output: 'on\n' })
    expect(result).toMatchObject({ exit: undefined, stopped: 'processes' })
    const left = await run({ files: [], command: ['sh', '-c', 'sleep 1234 & echo on'], limits: { timeMs: 20_000 } })
    expect(left).toMatchObject({ exit: 0, output: 'on\n' })
  })

  test('a full disk is the program`s own', async () => {
    if (kind === 'node') return expect(box.cannot).toContain('memory outside the heap')
    const fill = { files: [], command: ['sh', '-c', 'head -c 30000000 /dev/zero > big || exit 7'] }
    const result = await run({ ...fill, limits: { fileBytes: 4 << 20 } })
    expect(result.exit).toBe(7)
  })

  test('cancelled from outside', async () => {
    const stop = new AbortController()
    const running = run({ ...program('for (;;);'), signal: stop.signal })
    stop.abort()
    const result = await running
    expect(result.stopped).toBe('cancelled')
  })
})

describe('small changes', () => {
  test.each([
    ['a.js', 'const f = (a) => a < 3 && true', ['const f = (a) => a >= 3 && true', 'const f = (a) => a < 4 && true']],
    ['a.ts', 'type T = 1 | 2\nconst f = (a: number): number => a * 2', ['a + 2', 'a * 3']],
    ['a.py', 'def f(a):\n    return a == 1 or a in [2]', ['a != 1 or', 'a == 2 or', 'a == 1 and']],
    ['a.js', 'const text = "1 + 1" // true', []],
    ['a.rs', 'fn f() -> i32 { 1 + 1 }', []],
  ])('%s: %s', async (path, code, expected) => {
    const found = await mutantsOf(path, code, 9)
    for (const part of expected) expect(found).toContainEqual(expect.stringContaining(part))
    expect(found.length >= expected.length && (expected.length > 0 || found.length === 0)).toBe(true)
    for (const one of found) expect(one).not.toBe(code)
    expect(await mutantsOf(path, code, 1)).toHaveLength(Math.min(1, found.length))
  })
})

test('folders of boxes whose process was killed go, those in use stay', async () => {
  const temporary = mkdtempSync(join(tmpdir(), 'aetherflow-left-'))
  const gone = spawnSync(process.execPath, ['-e', '0']).pid
  const old = new Date(Date.now() - 2 * 60 * 60_000)
  const make = (name: string, time?: Date): void => {
    mkdirSync(join(temporary, name))
    writeFileSync(join(temporary, name, 'x'), '')
    if (time !== undefined) utimesSync(join(temporary, name), time, time)
  }
  make(`aetherflow-box-${gone}-left`, old)
  make(`aetherflow-box-${gone}-young`)
  make(`aetherflow-box-${process.pid}-used`, old)
  make('aetherflow-box-other', old)
  await removeLeftBoxes(temporary)
  expect(readdirSync(temporary).sort()).toEqual(
    ['aetherflow-box-other', `aetherflow-box-${gone}-young`, `aetherflow-box-${process.pid}-used`].sort(),
  )
  rmSync(temporary, { recursive: true })
})

describe('what is not let in', () => {
  test.each([
    ['../x', 'climbs'],
    ['/etc/x', 'a root'],
    ['a//b', 'an empty part'],
    ['.env', 'keys'],
    ['keys/server.pem', 'keys'],
  ])('%s: %s', async (path) => {
    const box = await openBox()
    const job = { files: [{ path, text: '' }], command: ['node', '-e', '0'] }
    await expect(box.run(job)).rejects.toMatchObject({ code: 'check.not_allowed', where: path })
  })

  test('a program that is not there', async () => {
    const box = await openBox()
    const job = { files: [], command: ['aetherflow-no-such-program'] }
    await expect(box.run(job)).rejects.toMatchObject({ code: 'check.not_allowed' })
    await expect(openBox([])).rejects.toMatchObject({ code: 'check.no_box' })
  })
})

describe('tests in a box', () => {
  const tests = `import test from 'node:test'; import assert from 'node:assert'; import { add } from '../src/add.mjs'
    test('sum', () => assert.equal(add(1, 2), 3)); test('zero', () => assert.equal(add(0, 0), 0))`
  const job = (answer: string, test = tests, repeats = 1) => ({
    files: [
      { path: 'src/add.mjs', text: answer },
      { path: 'test/add.test.mjs', text: test },
    ],
    tests: ['test/add.test.mjs'],
    repeats,
  })

  test('counted, and each failure says why with the last lines', async () => {
    const box = await openBox()
    const good = await runTests(box, job('export const add = (a, b) => a + b', tests, 2))
    expect(good).toMatchObject({ pass: true, passed: 2, total: 2, runs: 2, flaky: false, why: '' })
    const wrong = await runTests(box, job('export const add = (a, b) => a * b'))
    expect(wrong).toMatchObject({ pass: false, passed: 1, total: 2, exit: 1, why: 'exit code 1' })
    expect(wrong.output).toContain('sum')
  })

  test('a program that ends itself has passed nothing, nor has one without tests', async () => {
    const box = await openBox()
    const ended = await runTests(box, job('export const add = () => 0; process.exit(0)'))
    expect(ended).toMatchObject({ pass: false, exit: 0 })
    const none = await runTests(box, job('export const add = () => 0', `import 'node:test'; import '../src/add.mjs'`))
    expect(none.pass).toBe(none.total === undefined)
  })

  test('tests that pass without the answer are weak', async () => {
    const box = await openBox()
    const answer = 'export const add = (a, b) => a + b'
    await expect(testsAreWeak(box, job(answer), 'src/add.mjs')).resolves.toBe(false)
    const nothing = `import test from 'node:test'; test('true', () => {})`
    await expect(testsAreWeak(box, job(answer, nothing), 'src/add.mjs')).resolves.toBe(true)
  })

  test('tests that pass with every change to the answer are weak', async () => {
    const box = await openBox()
    const answer = 'export const add = (a, b) => a + b'
    const only = `import test from 'node:test'; import { add } from '../src/add.mjs'
      test('is there', () => add(1, 2))`
    await expect(testsAreWeak(box, job(answer, only), 'src/add.mjs')).resolves.toBe(true)
    // Nothing in it that could be changed: only the empty file tells.
    await expect(testsAreWeak(box, job('export const add = (a) => a', only), 'src/add.mjs')).resolves.toBe(false)
  })

  test('tests of another language need a command', async () => {
    const box = await openBox()
    const unknown = { files: [{ path: 'a.rs', text: '' }], tests: ['a.rs'] }
    await expect(runTests(box, unknown)).rejects.toMatchObject({ code: 'check.invalid', where: 'a.rs' })
  })
})
