import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { JournalFile } from '../../node/run/journal-file.js'
import { root } from '../checks/sources.js'

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-journal-'))
  file = path.join(folder, 'journal.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const content = (): string => readFileSync(file, 'utf8')

/** Counts the flushes of files while `work` runs. */
async function flushesOf(work: () => Promise<void>): Promise<number> {
  const handle = await open(file, 'r')
  const methods = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> }
  await handle.close()
  const real = methods.datasync
  let count = 0
  methods.datasync = function (this: unknown) {
    count += 1
    return real.call(this)
  }
  try {
    await work()
  } finally {
    methods.datasync = real
  }
  return count
}

describe('a journal file', () => {
  test('takes the place of another whole, and goes on behind what it was given', async () => {
    writeFileSync(file, 'old')
    const journal = await JournalFile.create(file, 'one ä\n')
    expect(content()).toBe('one ä\n')
    journal.append('two\n')
    journal.append('three 漢\n')
    await journal.flush()
    expect(content()).toBe('one ä\ntwo\nthree 漢\n')
    journal.append('four\n')
    await journal.close()
    expect(content()).toBe('one ä\ntwo\nthree 漢\nfour\n')
  })

  test('one flush serves all that wait, and those that come meanwhile share the next', async () => {
    const journal = await JournalFile.create(file, '')
    const count = await flushesOf(async () => {
      const waits: Promise<void>[] = []
      for (let line = 0; line < 100; ++line) {
        journal.append(`${line}\n`)
        waits.push(journal.flush())
      }
      await Promise.all(waits)
    })
    expect(count).toBeLessThanOrEqual(2)
    expect(content().split('\n')).toHaveLength(101)
    expect(await flushesOf(() => journal.flush())).toBe(0)
    await journal.close()
  })

  test('with sync never the system has every line that was waited for, and nothing is flushed', async () => {
    const journal = await JournalFile.create(file, '', { sync: 'never' })
    const count = await flushesOf(async () => {
      journal.append('a\n')
      await journal.flush()
      expect(content()).toBe('a\n')
    })
    expect(count).toBe(0)
    await journal.close()
  })

  test('a folder that is not there is host.io_failed with the path', async () => {
    const missing = path.join(folder, 'missing/journal.jsonl')
    await expect(JournalFile.create(missing, '')).rejects.toMatchObject({ code: 'host.io_failed', where: missing })
  })

  test('after a failed flush nothing is written any more, and everybody hears of it', async () => {
    const journal = await JournalFile.create(file, '')
    const handle = await open(file, 'r')
    const methods = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> }
    await handle.close()
    const real = methods.datasync
    methods.datasync = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
    const heard: unknown[] = []
    journal.onFailure((error) => heard.push(error))
    journal.append('a\n')
    const failed = { code: 'host.io_failed', where: file }
    await expect(journal.flush()).rejects.toMatchObject(failed)
    methods.datasync = real
    journal.append('b\n')
    await expect(journal.flush()).rejects.toMatchObject(failed)
    await journal.close()
    expect(heard).toMatchObject([failed])
    expect(content()).toBe('a\n')
  })
})

const mounts = spawnSync('unshare', ['-rm', 'true']).status === 0
const mounting = mounts ? describe : describe.skip
if (!mounts) console.log('no mounts here: full disks are left out')

mounting('a disk that is full', () => {
  const cli = `${process.execPath} ${path.join(root, 'dist/node/cli/main.js')}`
  const idsOf = (lines: string, type: string): string[] =>
    [...lines.matchAll(new RegExp(`"type":"${type}".*?"step":"(\\w+)"`, 'g'))].map(([, id = '']) => id)

  // Full in the middle of the journal, or of the outputs.
  test.each(['16k', '28k', '64k'])(
    'of %s is host.io_failed; once there is room the run goes on, and calls nothing that was told',
    (size) => {
      const steps = Array.from({ length: 20 }, (_, index) => ({
        ...{ id: `s${index}`, type: 'testing', description: 'x', estimated_tokens: 900 },
        dependencies: index < 4 ? [] : [`s${index - 4}`],
      }))
      writeFileSync(path.join(folder, 'plan.json'), JSON.stringify({ task_id: 't', description: 'd', steps }))
      const script = `
      mkdir disk && mount -t tmpfs -o size=${size} tmpfs disk || exit 99
      ${cli} run plan.json --simulate instant --output disk/out --json > first.txt 2> first.err; echo "first $?"
      mount -o remount,size=4m disk
      ${cli} run --output disk/out --resume --json > second.txt 2> second.err; echo "second $?"
      ls -A disk/out/step_outputs | wc -l
      ${cli} replay disk/out > /dev/null; echo "replay $?"`
      const env = { PATH: process.env['PATH'] ?? '', HOME: path.join(folder, 'nobody') }
      const { stdout } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { cwd: folder, env, encoding: 'utf8' })
      expect(stdout).toBe(`first 1\nsecond 0\n20\nreplay 0\n`)
      const text = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
      expect(text('first.err')).toMatch(/host\.io_failed at .*: no space left/)
      const [past = '', since = ''] = text('second.txt').split('"type":"resumed"')
      const [told, answered] = [idsOf(text('first.txt'), 'done'), idsOf(since, 'answer')]
      expect(answered.filter((id) => told.includes(id))).toEqual([])
      expect(new Set([...idsOf(past, 'answer'), ...answered]).size).toBe(20)
      // The smallest holds few answers, the largest all of them.
      if (size === '16k') expect(answered.length).toBeGreaterThan(0)
      expect(new Set(idsOf(text('second.txt'), 'done')).size).toBe(20)
    },
  )
})
