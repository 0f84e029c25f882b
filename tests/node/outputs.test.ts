import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { StepInfo } from '../../bindings/events.js'
import { OutputFolder, outputExtension, outputName } from '../../node/run/outputs.js'

const step = (id: string, more: Partial<StepInfo> = {}): StepInfo => ({
  ...{ step: 0, id, type: 'analysis', complexity: 0.5, estimatedTokens: 0, output: 'text' as const },
  ...{ optional: false, priority: 0, files: [], dependencies: [], ...more },
})

describe('names', () => {
  test.each([
    ['plain-id_1.2', 'plain-id_1.2'],
    ['../x', '%2E.%2Fx'],
    ['..', '%2E.'],
    ['.', '%2E'],
    ['.hidden', '%2Ehidden'],
    ['a/b', 'a%2Fb'],
    ['a\\b', 'a%5Cb'],
    ['C:x', 'C%3Ax'],
    ['CON', '%43ON'],
    ['con.txt', '%63on.txt'],
    ['Lpt1', '%4Cpt1'],
    ['console', 'console'],
    ['é', '%C3%A9'],
    ['50%', '50%25'],
    ['%2E', '%252E'],
    ['a b', 'a%20b'],
    ['*?"<>|', '%2A%3F%22%3C%3E%7C'],
  ])('%s is %s', (id, expected) => {
    expect(outputName(id)).toBe(expected)
  })

  test('long ids are cut, and differ though they begin alike', () => {
    const [one, two] = ['1', '2'].map((end) => outputName('x'.repeat(300) + end))
    expect(one).toHaveLength(120)
    expect(one).not.toBe(two)
    expect(outputName('é'.repeat(300)).length).toBeLessThanOrEqual(120)
  })

  test('no id leaves its folder, and no two share a file on any file system', () => {
    const ids = ['A', 'a', '../x', '..', '%2E.', 'CON', 'con', 'é', 'É', 'x'.repeat(300), 'X'.repeat(300), '__proto__']
    const folder = new OutputFolder('/out')
    folder.adopt(ids.map((id) => step(id)))
    const names = ids.map((id) => folder.nameOf(step(id)))
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(ids.length)
    for (const name of names) expect(path.join('/out', name)).toBe(`/out/${path.basename(name)}`)
    expect(names.every((name) => /^[A-Za-z0-9_%-][A-Za-z0-9._%-]*$/.test(name))).toBe(true)
    expect(Object.keys(folder.paths(ids))).toHaveLength(ids.length)
  })

  test('of colliding ids the first of the plan gets the plain name, whoever ends first', () => {
    const [one, two] = [new OutputFolder('/out'), new OutputFolder('/out')]
    for (const folder of [one, two]) folder.adopt([step('A'), step('a')])
    expect([one.nameOf(step('A')), one.nameOf(step('a'))]).toEqual([two.nameOf(step('A')), two.nameOf(step('a'))])
    expect(one.nameOf(step('A'))).toBe('A.md')
    expect(one.nameOf(step('a'))).toMatch(/^a-[0-9a-f]{12}\.md$/)
  })

  test('an id made to look like the hashed name of another gets a name of its own', () => {
    const first = new OutputFolder('/out')
    first.adopt([step('A'), step('a')])
    const guessed = first.nameOf(step('a')).replace('.md', '')
    const second = new OutputFolder('/out')
    second.adopt([step('A'), step(guessed), step('a')])
    expect(second.nameOf(step('a'))).not.toBe(second.nameOf(step(guessed)))
  })

  test.each<[Partial<StepInfo>, string]>([
    [{ output: 'json' }, '.json'],
    [{ output: 'schema' }, '.json'],
    [{ output: 'text', type: 'documentation' }, '.md'],
    [{ output: 'text', type: 'testing' }, '.txt'],
    [{ output: 'any' }, '.md'],
    [{ output: 'code' }, '.txt'],
    [{ output: 'code', files: ['src/a.ts'] }, '.ts'],
    [{ output: 'code', files: ['a.ts', 'b.ts'] }, '.ts'],
    [{ output: 'code', files: ['a.ts', 'b.py'] }, '.txt'],
    [{ output: 'code', files: ['Makefile'] }, '.txt'],
    [{ output: 'code', files: ['a.t/../s'] }, '.txt'],
    [{ output: 'code', files: ['a.verylongextension'] }, '.txt'],
  ])('extension of %j', (about, expected) => {
    expect(outputExtension(step('a', about))).toBe(expected)
  })
})

describe('files', () => {
  let base = ''
  beforeEach(() => {
    base = mkdtempSync(path.join(tmpdir(), 'aetherflow-outputs-'))
  })
  afterEach(() => rmSync(base, { recursive: true, force: true }))

  test('an output is there whole when write returns, over an earlier one, and nothing else is', async () => {
    const folder = new OutputFolder(path.join(base, 'a/b'))
    await folder.prepare()
    await folder.write(step('x'), 'first')
    await folder.write(step('x'), 'zweite – 漢字')
    expect(readdirSync(folder.steps)).toEqual(['x.md'])
    expect(readFileSync(path.join(folder.steps, 'x.md'), 'utf8')).toBe('zweite – 漢字')
    await folder.finish({ a: 1 }, { 'report.md': '# report\n' })
    expect(readdirSync(folder.folder).sort()).toEqual(['report.md', 'run.json', 'step_outputs'])
    expect(JSON.parse(readFileSync(path.join(folder.folder, 'run.json'), 'utf8'))).toEqual({ a: 1 })
  })

  test('a link that stands at the name is replaced, not followed', async () => {
    const victim = path.join(base, 'victim')
    writeFileSync(victim, 'untouched')
    const folder = new OutputFolder(path.join(base, 'out'))
    await folder.prepare()
    symlinkSync(victim, path.join(folder.steps, 'x.md'))
    await folder.write(step('x'), 'new')
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
    expect(readFileSync(path.join(folder.steps, 'x.md'), 'utf8')).toBe('new')
  })

  test('an impossible folder is host.io_failed with its path, before anything runs', async () => {
    writeFileSync(path.join(base, 'file'), '')
    const folder = new OutputFolder(path.join(base, 'file'))
    await expect(folder.prepare()).rejects.toMatchObject({
      code: 'host.io_failed',
      where: path.join(base, 'file', 'step_outputs'),
    })
  })

  test('a failed write is host.io_failed with the path of the output, and leaves no part behind', async () => {
    const folder = new OutputFolder(path.join(base, 'out'))
    await folder.prepare()
    mkdirSync(path.join(folder.steps, 'x.md'))
    await expect(folder.write(step('x'), 'text')).rejects.toMatchObject({
      code: 'host.io_failed',
      where: path.join(folder.steps, 'x.md'),
    })
    expect(readdirSync(folder.steps)).toEqual(['x.md'])
    expect(folder.written).toBe(0)
  })

  test('folders that were made for nothing are taken back; those that stood before stay', async () => {
    const fresh = new OutputFolder(path.join(base, 'new'))
    await fresh.prepare()
    await fresh.discard()
    expect(readdirSync(base)).toEqual([])
    mkdirSync(path.join(base, 'old'))
    const old = new OutputFolder(path.join(base, 'old'))
    await old.prepare()
    await old.discard()
    expect(readdirSync(base)).toEqual(['old'])
    expect(readdirSync(path.join(base, 'old'))).toEqual([])
  })
})

/** Takes every file handle of the process, begins `count` outputs, and gives the handles back once the system has refused each. */
const shortOfHandles = `
  import { open } from 'node:fs/promises'
  import { OutputFolder } from './dist/node/run/outputs.js'
  const [base, count] = process.argv.slice(1)
  const folder = new OutputFolder(base)
  await folder.prepare()
  const taken = []
  const refused = async () => await open('/dev/null').then((file) => { taken.push(file); return '' }, (error) => error.code)
  while ((await refused()) !== 'EMFILE');
  const ids = Array.from({ length: Number(count) }, (_, n) => 's' + n)
  const info = { type: 'analysis', output: 'text', files: [], dependencies: [] }
  let settled = 0
  const all = ids.map((id) => folder.write({ ...info, id }, 'answer of ' + id).finally(() => (settled += 1)))
  Promise.all(all).catch(() => {})
  // The pool serves in order: when these are refused, those before them have been.
  for (let i = 0; i < 20; ++i) await refused()
  const early = settled
  for (const file of taken) await file.close()
  await Promise.all(all)
  console.log(JSON.stringify({ early, written: folder.written }))
`

test('outputs that find no free file handle wait for one', () => {
  const base = mkdtempSync(path.join(tmpdir(), 'handles-'))
  const node = [process.execPath, '--input-type=module', '-e', shortOfHandles, '--', base, '12']
  const said = execFileSync('sh', ['-c', 'ulimit -n 64; exec "$@"', 'sh', ...node], { encoding: 'utf8' })
  expect(JSON.parse(said)).toEqual({ early: 0, written: 12 })
  expect(readdirSync(path.join(base, 'step_outputs'))).toHaveLength(12)
  rmSync(base, { recursive: true })
})
