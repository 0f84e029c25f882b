/** Answers in the files of a project: whole or not at all, over nothing that nobody has seen, and taken back to the byte. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  chmod,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyAnswers, undoApplied, type ApplyOptions, type Placed } from '../../node/apply/apply.js'
import { realDisk, type Disk } from '../../node/apply/disk.js'
import { digestOf } from '../../node/apply/project.js'
import { applyRun } from '../../node/apply/run-apply.js'

let folder: string
let root: string
let run: string
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'aetherflow-apply-')))
  root = join(folder, 'project')
  run = join(folder, 'run')
  await mkdir(join(root, 'src'), { recursive: true })
  await mkdir(run)
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

const options = (more: Partial<ApplyOptions> = {}): ApplyOptions => ({ folder: run, root, disk: realDisk, ...more })
const put = (path: string, bytes: string | Uint8Array): Promise<void> => writeFile(join(root, path), bytes)
const get = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
const sha = (text: string): string => digestOf(Buffer.from(text))
const whole = (step: string, target: string, answer: string, before?: string): Placed => ({
  ...{ step, target, edit: 'whole', answer },
  base: before === undefined ? 'absent' : sha(before),
})
const blocks = (step: string, target: string, from: string, to: string, before: string): Placed => ({
  ...{ step, target, edit: 'blocks', base: sha(before) },
  answer: `<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE`,
})

/** Every file below a folder with its bytes and permission bits. */
async function tree(of = root): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of (await readdir(of, { recursive: true })).sort()) {
    const info = await lstat(join(of, name))
    const text = info.isFile() ? (await readFile(join(of, name))).toString('latin1') : ''
    files[name] = `${(info.mode & 0o7777).toString(8)} ${info.isDirectory() ? 'folder' : text}`
  }
  return files
}

describe('applied and taken back', () => {
  const steps = [
    whole('new', 'lib/deep/new.js', 'export const a = 1'),
    whole('old', 'src/old.js', 'export const b = 2\n', 'let b\r\n'),
    blocks('part', 'src/part.txt', 'two', 'zwei', '\uFEFFone\r\ntwo\r\nthree'),
  ]
  beforeEach(async () => {
    await put('src/old.js', 'let b\r\n')
    await chmod(join(root, 'src/old.js'), 0o750)
    await put('src/part.txt', '\uFEFFone\r\ntwo\r\nthree')
  })

  test('files, folders, ends of lines, mark and permission bits', async () => {
    const before = await tree()
    const changes = await applyAnswers(steps, options())
    expect(changes.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied'])
    expect(changes[1]?.diff).toContain('-let b\n+export const b = 2')
    expect(await get('lib/deep/new.js')).toBe('export const a = 1\n')
    expect(await get('src/old.js')).toBe('export const b = 2\r\n')
    expect(await get('src/part.txt')).toBe('\uFEFFone\r\nzwei\r\nthree')
    expect((await lstat(join(root, 'src/old.js'))).mode & 0o777).toBe(0o750)
    // Once more is no other.
    expect((await applyAnswers(steps, options())).map(({ outcome }) => outcome)).toEqual(['same', 'same', 'same'])
    const undone = await undoApplied(undefined, options())
    expect(undone.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['part', 'undone'],
      ['old', 'undone'],
      ['new', 'undone'],
    ])
    expect(await tree()).toEqual(before)
    expect(await undoApplied(undefined, options())).toEqual([])
  })

  test('the fence in which a model put the whole file is not the file`s; one of Markdown may be just that', async () => {
    const code = '"""\n```\nx\n```\n"""\n'
    const answers: readonly (readonly [string, string, string])[] = [
      ['a.ts', '```ts\nlet a\n```', 'let a\n'],
      ['b.yaml', '\n~~~~yaml\r\na: 1\r\n~~~~\r\n', 'a: 1\n'],
      ['c', '```\n```', '\n'],
      ['d.md', '```sh\nls\n```', '```sh\nls\n```\n'],
      ['e.py', code, code],
      ['f.txt', '```py\na\n```\ntext\n```py\nb\n```', '```py\na\n```\ntext\n```py\nb\n```\n'],
      ['g.py', '````python\n' + code + '````', code],
      ['h.txt', '```ts\nlet a', '```ts\nlet a\n'],
    ]
    await applyAnswers(
      answers.map(([name, answer]) => whole(name, `src/${name}`, answer)),
      options(),
    )
    for (const [name, , file] of answers) expect([name, await get(`src/${name}`)]).toEqual([name, file])
  })

  test('a dry run says the same and does nothing, forth and back', async () => {
    const before = await tree()
    const dry = await applyAnswers(steps, options({ dryRun: true }))
    expect(await tree()).toEqual(before)
    expect(await readdir(run)).toEqual([])
    const real = await applyAnswers(steps, options())
    expect(dry).toEqual(real)
    const after = await tree()
    expect((await undoApplied(undefined, options({ dryRun: true }))).map(({ outcome }) => outcome)).toEqual(
      Array(3).fill('undone'),
    )
    expect(await tree()).toEqual(after)
  })

  test('another answer of a step replaces what it made before, and both are taken back', async () => {
    const before = await tree()
    await applyAnswers(steps, options())
    const other = [whole('old', 'src/old.js', 'export const b = 3\n', 'let b\r\n')]
    expect((await applyAnswers(other, options())).map(({ outcome }) => outcome)).toEqual(['applied'])
    expect(await get('src/old.js')).toBe('export const b = 3\r\n')
    await undoApplied(undefined, options())
    expect(await tree()).toEqual(before)
  })

  test('one step alone', async () => {
    await applyAnswers(steps, options())
    await undoApplied('old', options())
    expect(await get('src/old.js')).toBe('let b\r\n')
    expect(await get('src/part.txt')).toContain('zwei')
  })

  test('two steps change one file, the second what the first has left', async () => {
    const two = [
      blocks('first', 'src/part.txt', 'one', 'eins', '\uFEFFone\r\ntwo\r\nthree'),
      blocks('second', 'src/part.txt', 'eins\ntwo', '1\n2', '\uFEFFone\r\ntwo\r\nthree'),
    ]
    const before = await tree()
    const dry = await applyAnswers(two, options({ dryRun: true }))
    expect(dry.map(({ outcome }) => outcome)).toEqual(['applied', 'applied'])
    expect(await applyAnswers(two, options())).toEqual(dry)
    expect(await get('src/part.txt')).toBe('\uFEFF1\r\n2\r\nthree')
    await undoApplied(undefined, options())
    expect(await tree()).toEqual(before)
  })
})

describe('refused, and everything stays', () => {
  const refuses = async (placed: Placed, code: string, detail = ''): Promise<void> => {
    const before = await tree(folder)
    const [change] = await applyAnswers([placed], options())
    expect(change).toMatchObject({
      outcome: 'refused',
      error: { code, detail: expect.stringContaining(detail) as unknown },
    })
    expect(await tree(folder)).toEqual(before)
  }

  test('what changed meanwhile, was made meanwhile, went away meanwhile', async () => {
    await put('src/a.js', 'changed()\n')
    await refuses(whole('a', 'src/a.js', 'b()', 'as it was\n'), 'apply.changed')
    await refuses(whole('a', 'src/a.js', 'b()'), 'apply.changed')
    await refuses(whole('a', 'src/gone.js', 'b()', 'as it was\n'), 'apply.changed')
    await refuses({ step: 'a', target: 'src/a.js', edit: 'whole', base: undefined, answer: 'b()' }, 'apply.changed')
  })
  test('blocks that do not fit say what comes nearest; others fit what changed elsewhere', async () => {
    await put('src/a.js', 'import a\nfunction total(list) {\n}\n')
    await refuses(blocks('a', 'src/a.js', 'function total(items) {', 'x', ''), 'apply.conflict', 'nearest is line 2')
    await put('src/a.js', 'let a\nfunction total(list) {\n}\n')
    const [fits] = await applyAnswers([blocks('a', 'src/a.js', 'let a', 'let b', 'older')], options())
    expect(fits?.outcome).toBe('applied')
  })
  test('what would not parse any more', async () => {
    await refuses(whole('a', 'src/a.js', 'function ('), 'apply.conflict', 'parse')
    await put('src/b.js', 'function (')
    const [change] = await applyAnswers([whole('b', 'src/b.js', 'still (', 'function (')], options())
    expect(change?.outcome).toBe('applied')
  })
  test.each([
    '../outside.js',
    '/etc/outside.js',
    'src/../../outside.js',
    'src//a.js',
    'src/./a.js',
    'C:/a.js',
    'src\\a.js',
    '',
    '.git/hooks/pre-commit',
    'src/.hidden.js',
    'node_modules/a/index.js',
    'aetherflow.config.json',
    'keys/server.pem',
    'a\0b',
  ])('the name %j', async (target) => {
    await refuses(whole('a', target, 'x'), 'apply.refused')
  })
  test('links: the file, a folder on the way, a link to nothing', async () => {
    await mkdir(join(folder, 'elsewhere'))
    await writeFile(join(folder, 'elsewhere/a.js'), 'theirs()\n')
    await symlink(join(folder, 'elsewhere'), join(root, 'linked'))
    await symlink(join(folder, 'elsewhere/a.js'), join(root, 'src/a.js'))
    await symlink(join(folder, 'nowhere'), join(root, 'src/b.js'))
    await refuses(whole('a', 'linked/a.js', 'x()', 'theirs()\n'), 'apply.refused')
    await refuses(whole('a', 'linked/new.js', 'x()'), 'apply.refused')
    await refuses(whole('a', 'src/a.js', 'x()', 'theirs()\n'), 'apply.refused')
    await refuses(whole('a', 'src/b.js', 'x()'), 'apply.refused')
  })
  test('a folder, a file on the way, a read-only file, bytes that are no text', async () => {
    await refuses(whole('a', 'src', 'x'), 'apply.refused')
    await put('src/file', 'x\n')
    await refuses(whole('a', 'src/file/a.js', 'x()'), 'apply.refused')
    await put('src/fixed.js', 'a()\n')
    await chmod(join(root, 'src/fixed.js'), 0o444)
    await refuses(whole('a', 'src/fixed.js', 'b()', 'a()\n'), 'apply.refused', 'read-only')
    await put('src/picture.txt', new Uint8Array([0xff, 0xfe, 0x00]))
    await refuses(whole('a', 'src/picture.txt', 'x'), 'apply.refused', 'UTF-8')
  })
  test('another name of a file keeps its bytes', async () => {
    await put('src/a.txt', 'old\n')
    await link(join(root, 'src/a.txt'), join(folder, 'other-name'))
    await applyAnswers([whole('a', 'src/a.txt', 'new', 'old\n')], options())
    expect(await readFile(join(folder, 'other-name'), 'utf8')).toBe('old\n')
  })
  test('undo: what changed since stays, the rest goes back', async () => {
    await applyAnswers([whole('a', 'src/a.txt', 'one'), whole('b', 'src/b.txt', 'two')], options())
    await put('src/a.txt', 'mine\n')
    const changes = await undoApplied(undefined, options())
    expect(changes.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['b', 'undone'],
      ['a', 'refused'],
    ])
    expect(await tree()).toMatchObject({ 'src/a.txt': expect.stringContaining('mine') })
    expect(await readdir(join(root, 'src'))).toEqual(['a.txt'])
  })
})

/** A disk on which the nth change fails: with `dies` everything after it fails too, as for a process that was killed. */
function failing(at: number, how: 'full' | 'dies'): { disk: Disk; changes: () => number } {
  let count = 0
  const changing = <T extends unknown[]>(work: (...args: T) => Promise<void>) => {
    return async (...args: T): Promise<void> => {
      const number = ++count
      if (number === at || (how === 'dies' && number > at))
        throw Object.assign(new Error(how), { code: how === 'full' ? 'ENOSPC' : 'EIO' })
      await work(...args)
    }
  }
  const { writeNew, append, rename, link: hard, unlink, mkdir: make, rmdir, sync } = realDisk
  const changed = { writeNew, append, rename, link: hard, unlink, mkdir: make, rmdir, sync }
  const wrapped = Object.fromEntries(
    Object.entries(changed).map(([name, work]) => [name, changing(work as (...args: unknown[]) => Promise<void>)]),
  ) as unknown as typeof changed
  return { disk: { ...realDisk, ...wrapped }, changes: () => count }
}

describe.each(['full', 'dies'] as const)('a disk that is %s at each change', (how) => {
  const steps = [
    whole('new', 'lib/deep/new.txt', 'one'),
    whole('old', 'src/old.txt', 'two', 'before\n'),
    blocks('part', 'src/part.txt', 'b', 'B', 'a\nb\nc\n'),
  ]
  const start = async (): Promise<Record<string, string>> => {
    await put('src/old.txt', 'before\n')
    await put('src/part.txt', 'a\nb\nc\n')
    return await tree()
  }
  const isLeftover = (name: string): boolean => name.endsWith('.part')

  test('each file is as before or as after; later it can be finished, or taken back to the byte', async () => {
    const before = await start()
    const count = failing(Infinity, how)
    await applyAnswers(steps, options({ disk: count.disk }))
    const after = await tree()
    await undoApplied(undefined, options())
    expect(await tree()).toEqual(before)
    expect(count.changes()).toBeGreaterThan(15)
    for (let at = 1; at <= count.changes(); ++at) {
      await applyAnswers(steps, options({ disk: failing(at, how).disk })).catch((error: unknown) =>
        expect(error).toMatchObject({ code: 'host.io_failed' }),
      )
      for (const [name, text] of Object.entries(await tree()))
        if (!isLeftover(name)) expect([before[name], after[name]]).toContain(text)
      if (at % 2 === 0) {
        const finished = await applyAnswers(steps, options())
        expect(finished.every(({ outcome }) => outcome === 'applied' || outcome === 'same')).toBe(true)
        const now = await tree()
        expect(Object.fromEntries(Object.entries(now).filter(([name]) => !isLeftover(name)))).toEqual(after)
      }
      // The undo is cut short too, and then finished.
      await undoApplied(undefined, options({ disk: failing(1 + (at % 9), how).disk })).catch(() => {})
      await undoApplied(undefined, options())
      const back = await tree()
      for (const name of Object.keys(back)) if (isLeftover(name)) await rm(join(root, name))
      for (const name of ['lib/deep', 'lib'])
        await rm(join(root, name), { recursive: how === 'dies', force: true }).catch(() => {})
      expect(
        Object.fromEntries(Object.entries(back).filter(([name]) => !isLeftover(name) && !name.startsWith('lib'))),
      ).toEqual(before)
    }
  })
})

describe('of the folder of a run', () => {
  const record = async (steps: object[], outputs: Record<string, string>, targets: object[]): Promise<void> => {
    await mkdir(join(run, 'step_outputs'))
    for (const [id, text] of Object.entries(outputs)) await writeFile(join(run, 'step_outputs', id), text)
    const paths = Object.fromEntries(Object.keys(outputs).map((id) => [id, `step_outputs/${id}`]))
    await writeFile(join(run, 'run.json'), JSON.stringify({ outputs: paths, report: { steps } }))
    await writeFile(join(run, 'targets.json'), JSON.stringify({ root, steps: targets }))
  }
  const target = { step: 'a', target: 'src/a.txt', edit: 'whole', base: 'absent' }
  const env = (): NodeJS.ProcessEnv => ({ XDG_STATE_HOME: join(folder, 'state') })

  test('answers of steps that are done; of the others it says why not', async () => {
    await record(
      [
        { id: 'a', state: 'done' },
        { id: 'b', state: 'failed' },
      ],
      { a: 'text' },
      [target, { ...target, step: 'b', target: 'src/b.txt' }],
    )
    const applied = await applyRun({ folder: run, root, env: env() })
    expect(applied).toMatchObject({ root, without: [{ step: 'b', why: 'failed' }] })
    expect(await get('src/a.txt')).toBe('text\n')
    await applyRun({ folder: run, root, undo: true, env: env() })
    expect(await readdir(join(root, 'src'))).toEqual([])
  })

  test('what a stranger`s folder names leads nowhere else', async () => {
    await record([{ id: 'a', state: 'done' }], { a: 'text' }, [target])
    // The working folder of the tests is not the project.
    await expect(applyRun({ folder: run, env: env() })).rejects.toMatchObject({ code: 'apply.refused', where: root })
    await writeFile(
      join(run, 'run.json'),
      JSON.stringify({ outputs: { a: '../project/src/x' }, report: { steps: [{ id: 'a', state: 'done' }] } }),
    )
    expect((await applyRun({ folder: run, root, env: env() })).without).toHaveLength(1)
  })

  test('one at a time in a project', async () => {
    await record([{ id: 'a', state: 'done' }], { a: 'text' }, [target])
    const both = await Promise.allSettled([
      applyRun({ folder: run, root, env: env() }),
      applyRun({ folder: run, root, env: env() }),
    ])
    const refused = both.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]).toMatchObject({ reason: { code: 'apply.busy' } })
    expect(await get('src/a.txt')).toBe('text\n')
  })

  test('nothing to apply', async () => {
    await expect(applyRun({ folder: run, root, env: env() })).rejects.toMatchObject({ code: 'apply.nothing' })
    await record([], {}, [target])
    await expect(applyRun({ folder: run, root, only: 'zz', env: env() })).rejects.toMatchObject({
      code: 'apply.nothing',
    })
    await rm(join(run, 'run.json'))
    await expect(applyRun({ folder: run, root, env: env() })).rejects.toMatchObject({ code: 'apply.nothing' })
  })
})
