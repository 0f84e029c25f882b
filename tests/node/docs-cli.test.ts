/** `aetherflow index`, `docs` and `bench preload` as somebody types them. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Process, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(60_000)

let folder = ''
let remove = (): void => {}
beforeEach(() => {
  ;({ folder, remove } = scratch())
  mkdirSync(path.join(folder, 'docs'))
  write('guide.md', '# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n\n# Use\n\nRun a plan.\n')
})
afterEach(() => {
  Process.endAll()
  remove()
})
const write = (name: string, text: string): void => writeFileSync(path.join(folder, 'docs', name), text)
const cli = (...words: string[]) => aetherflow([...words, '--keep', path.join(folder, 'kept')], '', { cwd: folder })

describe('index', () => {
  test('reads, and the next time only what changed', async () => {
    const first = await cli('index', 'docs')
    expect([first.code, first.stdout]).toEqual([
      0,
      expect.stringMatching(/^docs 1 file, 3 sections \(1 read, 1 changed, 0 gone\)/),
    ])
    write('more.md', '# More\n\ntext\n')
    const second = await cli('index', 'docs', '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({
      files: 2,
      sections: 4,
      read: 1,
      changed: 1,
      removed: 0,
      skipped: [],
    })
  })

  test('stays and follows what changes', async () => {
    const words = ['index', 'docs', '--watch', '--json', '--keep', path.join(folder, 'kept')]
    const process = new Process(words, { cwd: folder })
    await process.until('"files":1')
    write('late.md', '# Late\n\ntext\n')
    await process.until('"files":2')
    // As editors save: another file in the place of the old one, and not only once.
    for (const sections of [5, 6, 7]) {
      write('.late.tmp', `# Late\n${'\n## More\n\ntext\n'.repeat(sections - 4)}`)
      renameSync(path.join(folder, 'docs', '.late.tmp'), path.join(folder, 'docs', 'late.md'))
      await process.until(`"files":2,"sections":${sections}`)
    }
    mkdirSync(path.join(folder, 'docs', 'inner'))
    write('inner/deep.md', '# Deep\n')
    await process.until('"files":3')
    write('inner/deep.md', '# Deep\n\n## Deeper\n')
    await process.until('"files":3,"sections":9')
    rmSync(path.join(folder, 'docs', 'late.md'))
    await process.until('"files":2,"sections":5,"read":0')
    process.child.kill('SIGINT')
    expect((await process.exit()).code).toBe(130)
  })

  test('a folder that is none', async () => {
    const ended = await cli('index', 'absent')
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('host.io_failed')])
  })
})

describe('docs', () => {
  test('a question and its answer, with the place', async () => {
    const ended = await cli('docs', 'fetch the toolchain on Linux', '--dir', 'docs')
    expect(ended.stdout).toMatch(/^guide\.md:Install › Linux\.3 [\d.]+\n## Linux\n\nUse apt-get/m)
    expect(ended.code).toBe(0)
    const json = await cli('docs', 'fetch the toolchain', '--dir', 'docs', '--tokens', '30', '--json')
    const { parts, tokens } = JSON.parse(json.stdout) as { parts: { reference: string }[]; tokens: number }
    expect(parts.map(({ reference }) => reference)).toContain('guide.md:Install › Linux.3')
    expect(tokens).toBeLessThanOrEqual(30)
  })

  test('nothing is said, and fails', async () => {
    const ended = await cli('docs', 'zeppelin', '--dir', 'docs')
    expect([ended.code, ended.stdout]).toEqual([1, 'nothing of it stands in the documents\n'])
    const none = await aetherflow(['docs'], '', { cwd: folder })
    expect(none.code).toBe(2)
  })

  test('control characters of a document stay in it', async () => {
    write('guide.md', '# Toolchain \u001b]0;x\u0007\n\nfetch \u001b[31mred\n')
    const ended = await cli('docs', 'fetch the toolchain', '--dir', 'docs')
    expect(ended.stdout).not.toMatch(/[\u0007\u001b]/)
    expect(ended.stdout).toContain('fetch')
  })

  test('evaluates a set', async () => {
    const set = [{ question: 'fetch the toolchain', correct_chunks: ['guide.md:Install › Linux'] }]
    writeFileSync(path.join(folder, 'set.json'), JSON.stringify(set))
    const ended = await cli('docs', 'evaluate', 'set.json', '--dir', 'docs', '--json')
    expect(JSON.parse(ended.stdout)).toMatchObject({ questions: 1, recall: { value: 1 }, abstained: 0 })
    expect((await cli('docs', 'evaluate', 'absent.json')).code).toBe(2)
  })
})

test('bench preload without a model says how to get one', async () => {
  const ended = await aetherflow(['bench', 'preload'], '', { cwd: folder })
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('aetherflow model pull')])
  expect(ended.stdout).toMatch(/at most 200 connections/)
})
