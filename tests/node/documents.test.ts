/** The index of a folder: what is read, what is kept, what is found, and that references hold. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openDocs, type OpenDocsOptions } from '../../node/documents/open.js'
import { FolderIndexStore } from '../../node/documents/store.js'
import { FolderSource } from '../../node/documents/source.js'
import type { SkippedFile } from '../../web/standard/documents/ports.js'

jest.setTimeout(60_000)

let root = ''
let dir = ''
let keep = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aetherflow-docs-'))
  ;[dir, keep] = [join(root, 'docs'), join(root, 'kept')]
  mkdirSync(dir)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

let clock = 1_700_000_000
const write = (path: string, text: string | Uint8Array): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), text)
  // A coarse clock must not hide an edit.
  utimesSync(join(dir, path), clock, ++clock)
}
const guide =
  '# Install\n\nNeeds a compiler.\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n\n# Use\n\nRun a plan.\n'
const open = (options: OpenDocsOptions = {}) => openDocs({ dir, keep, ...options })

describe('what is read', () => {
  const listed = async (): Promise<{ paths: string[]; skipped: SkippedFile[] }> => {
    const skipped: SkippedFile[] = []
    const files = await new FolderSource(dir).list((file) => void skipped.push(file))
    return { paths: files.map(({ path }) => path), skipped }
  }

  test('texts and programs, in order, without what is ignored', async () => {
    for (const path of [
      'b.md',
      'a/x.py',
      'a/y.png',
      'node_modules/z.md',
      'out/o.md',
      'out/keep.md',
      'draft.md',
      '.git/c.md',
    ])
      write(path, 'x')
    write('.gitignore', 'out/*\n!out/keep.md\n')
    write('.aetherflowignore', 'draft*\n')
    expect((await listed()).paths).toEqual(['a/x.py', 'b.md', 'out/keep.md'])
  })

  test('patterns as git reads them', async () => {
    const paths = [
      'a.md',
      'b/a.md',
      'b/c/a.md',
      'log/x.md',
      'b/log/x.md',
      'd/e/f.md',
      'x1.md',
      'x2.md',
      'y#.md',
      ' z.md',
      'ab.md',
    ]
    for (const path of paths) write(path, 'x')
    const patterns = [
      '/a.md',
      'log/',
      'd/**/f.md',
      'x[!2].md',
      '\\#*',
      'b/*/a.md',
      '**/c',
      'a?.md',
      '!ab.md',
      'y\\#.md',
      '# no',
      '[',
      'e/',
    ]
    execFileSync('git', ['init', '-q'], { cwd: dir })
    for (const pattern of patterns) {
      write('.gitignore', `${pattern}\n`)
      const untracked = execFileSync('git', ['ls-files', '-oz', '--exclude-standard'], { cwd: dir, encoding: 'utf8' })
      const expected = untracked
        .split('\0')
        .filter((path) => path.endsWith('.md'))
        .sort()
      expect(`${pattern} ${(await listed()).paths.join()}`).toBe(`${pattern} ${expected.join()}`)
    }
  })

  test('links into the folder are followed, out of it and round in it they are not', async () => {
    write('real/a.md', '# a')
    writeFileSync(join(root, 'secret.md'), '# secret')
    symlinkSync(join(root, 'secret.md'), join(dir, 'leak.md'))
    symlinkSync('real', join(dir, 'other'))
    symlinkSync('..', join(dir, 'real', 'up'))
    const { paths, skipped } = await listed()
    expect(paths).toEqual(['other/a.md', 'real/a.md'])
    expect(skipped).toEqual([{ path: 'leak.md', reason: 'outside' }])
    expect(await new FolderSource(dir).read('leak.md')).toBeUndefined()
    expect(await new FolderSource(dir).read('../secret.md')).toBeUndefined()
  })

  test('binary and large files are left out, and said', async () => {
    write('a.md', '# a\n')
    write('b.txt', new Uint8Array([1, 0, 2]))
    write('c.txt', 'x'.repeat(3000))
    const docs = await open({ update: false, mostBytes: 2000 })
    const { skipped, files } = await docs.update()
    expect(files).toBe(1)
    expect(skipped).toEqual([
      { path: 'c.txt', reason: 'too_large' },
      { path: 'b.txt', reason: 'binary' },
    ])
    await docs.close()
  })

  test('a folder that is none', async () => {
    await expect(openDocs({ dir: join(root, 'none'), keep: false })).rejects.toMatchObject({ code: 'host.io_failed' })
  })

  test('programs by their grammars', async () => {
    write(
      'a.ts',
      'export class Store {\n  get(key: string) {\n    return key\n  }\n}\nexport const most = 3\nconst own = 4\nconst f = () => 1\n',
    )
    write(
      'b.py',
      '@cached\ndef top(x):\n    def inner(): pass\n    return x\n\nclass A:\n    async def go(self): pass\n',
    )
    write('c.js', 'export default function main() {}\n')
    write('d.go', 'package d\n\nfunc Run() {}\n')
    const docs = await open()
    const outline = (path: string) => docs.outline(path)?.map(({ reference }) => reference.slice(path.length + 1))
    expect(outline('a.ts')).toEqual(['Store.1', 'Store › get.2', 'most.6', 'f.8'])
    expect(outline('b.py')).toEqual(['top.1', 'A.6', 'A › go.7'])
    expect(outline('c.js')).toEqual(['main.1'])
    expect(outline('d.go')).toEqual(['1', 'Run.3'])
    expect(
      docs
        .files()
        .filter(({ guessed }) => guessed)
        .map(({ path }) => path),
    ).toEqual(['d.go'])
    await docs.close()
  })
})

describe('what is kept', () => {
  test('only what changed is read again; the kept index equals one that is built at once', async () => {
    write('guide.md', guide)
    for (let i = 0; i < 5; i++) write(`n${i}.md`, `# Note ${i}\n\ntext ${i}\n`)
    await (await open()).close()
    write('n1.md', '# Note one\n\nother\n')
    rmSync(join(dir, 'n2.md'))
    const docs = await open({ update: false })
    expect(await docs.update()).toMatchObject({ files: 5, read: 1, changed: 1, removed: 1 })
    expect(await docs.update()).toMatchObject({ read: 0, changed: 0, removed: 0 })
    await docs.close()
    const cold = join(root, 'cold')
    await (await open({ keep: cold })).close()
    const kept = await new FolderIndexStore(keep).load()
    const built = await new FolderIndexStore(cold).load()
    expect(Buffer.from(kept?.sections ?? []).equals(Buffer.from(built?.sections ?? []))).toBe(true)
  })

  test('damage is dropped, said, and read again', async () => {
    write('guide.md', guide)
    write('other.md', '# Other\n\ntext\n')
    await (await open()).close()
    const name = readdirSync(keep).find((file) => file.endsWith('.sections')) ?? ''
    const bytes = readFileSync(join(keep, name))
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
    writeFileSync(join(keep, name), bytes)
    const docs = await open({ update: false })
    expect(docs.damage).toContain('1 of the kept files')
    expect(docs.files()).toHaveLength(1)
    expect(await docs.update()).toMatchObject({ files: 2, read: 1, changed: 1 })
    expect(docs.damage).toBeUndefined()
    await docs.close()
    writeFileSync(join(keep, 'current'), 'nonsense')
    const again = await open()
    expect(again.files()).toHaveLength(2)
    await again.close()
  })

  test('others read while one writes', async () => {
    write('guide.md', guide)
    const writer = await open()
    const reader = await open({ update: false })
    expect(reader.files()).toHaveLength(1)
    for (let i = 0; i < 4; i++) {
      write(`n${i}.md`, `# Note ${i}\n`)
      const [, loaded] = await Promise.all([writer.update(), new FolderIndexStore(keep).load()])
      expect(loaded?.stamps).toContain('guide.md')
    }
    // The generation that counts and the one before it.
    expect(readdirSync(keep).filter((file) => file.endsWith('.sections'))).toHaveLength(2)
    await writer.close()
    await reader.close()
  })
})

describe('what is found', () => {
  test('with references that hold for the bytes of now', async () => {
    write('guide.md', guide)
    const docs = await open()
    const first = await docs.search('Where do I fetch the toolchain on Linux?')
    expect(first.sections[0]).toMatchObject({ reference: 'guide.md:Install › Linux.5', first: 5, path: 'guide.md' })
    expect(first.confidence).toBeGreaterThan(0.5)
    // Edited since the index was made: found where it is, not where it was.
    write('guide.md', `A preamble.\n\n${guide}`)
    const later = await docs.search('Where do I fetch the toolchain on Linux?')
    expect(later.sections[0]?.reference).toBe('guide.md:Install › Linux.7')
    const { parts, tokens } = await docs.retrieve('Where do I fetch the toolchain on Linux?', { tokens: 40 })
    expect(tokens).toBeLessThanOrEqual(40)
    expect(parts.find(({ titles }) => titles === 'Install › Linux')?.text).toContain('apt-get')
    rmSync(join(dir, 'guide.md'))
    expect(await docs.search('toolchain on Linux')).toMatchObject({ sections: [], abstained: 'nothing' })
    await docs.close()
  })

  test('nothing, and it says so', async () => {
    write('guide.md', guide)
    const docs = await open({ leastConfidence: 0.9 })
    expect(await docs.retrieve('zeppelin')).toMatchObject({ parts: [], tokens: 0, abstained: 'nothing' })
    expect(await docs.retrieve('toolchain zeppelin aerostat dirigible')).toMatchObject({
      parts: [],
      abstained: 'unsure',
    })
    await docs.close()
  })

  test('a model picks from the list and from nothing else', async () => {
    for (const name of ['a', 'b', 'c'])
      write(`${name}.md`, `# Cache ${name}\n\nThe cache of ${name} is cleared by a command.\n`)
    const asked: string[][] = []
    const docs = await open({
      pick: (_, list) => {
        asked.push(list.map(({ reference }) => reference))
        const wanted = list.find(({ reference }) => reference.startsWith('c.md'))
        return Promise.resolve([wanted?.id ?? '', 's99', 'guide.md:made up'])
      },
    })
    const { parts, pick } = await docs.retrieve('how is the cache cleared')
    expect(parts.map(({ path }) => path)).toEqual(['c.md'])
    expect(pick).toEqual({ taken: 1, unknown: 2 })
    expect(asked).toHaveLength(1)
    await docs.close()
  })

  test('references after edits: found again, or stale', async () => {
    write('guide.md', guide)
    const docs = await open()
    const { sections } = await docs.search('toolchain on Linux')
    const { reference = '', mark = '' } = sections[0] ?? {}
    expect(await docs.resolve(reference, mark)).toMatchObject({ state: 'same' })
    write('guide.md', guide.replace('## Linux', '## Debian').replace('# Install', 'New.\n\n# Install'))
    expect(await docs.resolve(reference, mark)).toMatchObject({
      state: 'moved',
      section: { titles: 'Install › Debian', first: 7 },
    })
    write('guide.md', guide.replace(/## Linux[^#]*/, ''))
    expect(await docs.resolve(reference, mark)).toEqual({ state: 'stale' })
    expect(await docs.resolve('guide.md:Use.1')).toMatchObject({ state: 'named', section: { titles: 'Use' } })
    await docs.close()
  })
})
