import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { JournalFile } from '../../node/run/journal-file.js'
import { RunLock } from '../../node/run/lock.js'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-lock-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const locks = (): string[] => readdirSync(folder).sort()
const owner = (number: number): Record<string, unknown> =>
  JSON.parse(readFileSync(path.join(folder, `run.lock.${number}`), 'utf8')) as Record<string, unknown>
const put = (number: number, about: Record<string, unknown>): void =>
  writeFileSync(path.join(folder, `run.lock.${number}`), JSON.stringify(about))
const locked = { code: 'host.run_locked' }

describe('an owner', () => {
  test('keeps others out until it lets go; each has a higher number than the one before', async () => {
    const first = await RunLock.acquire(folder)
    await expect(RunLock.acquire(folder)).rejects.toMatchObject(locked)
    await first.release()
    expect(owner(1)).toMatchObject({ pid: process.pid, released: true })
    const second = await RunLock.acquire(folder)
    expect(locks()).toEqual(['run.lock.2'])
    await expect(first.check()).rejects.toMatchObject(locked)
    await expect(second.check()).resolves.toBeUndefined()
  })

  test('that was killed is followed, also while nobody has collected it', async () => {
    const lock = await RunLock.acquire(folder)
    const mine = owner(1)
    await lock.release()
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    await once(child, 'spawn')
    const started = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]
    put(2, { ...mine, pid: child.pid, started })
    await expect(RunLock.acquire(folder)).rejects.toMatchObject(locked)
    child.kill('SIGKILL')
    await once(child, 'close')
    await RunLock.acquire(folder)
    expect(locks()).toEqual(['run.lock.3'])
  })

  test('whose number another process has by now, or from before the machine was started, is dead', async () => {
    const lock = await RunLock.acquire(folder)
    const mine = owner(1)
    await lock.release()
    put(2, { ...mine, started: '1' })
    const next = await RunLock.acquire(folder)
    expect(locks()).toEqual(['run.lock.3'])
    await next.release()
    put(4, { ...mine, boot: 'another' })
    await RunLock.acquire(folder)
    expect(locks()).toEqual(['run.lock.5'])
  })

  test('on another machine is believed to live, until somebody says that it does not', async () => {
    put(7, { pid: 1, started: '', host: 'elsewhere', machine: 'm', boot: 'b' })
    await expect(RunLock.acquire(folder)).rejects.toMatchObject({
      ...locked,
      detail: expect.stringContaining('elsewhere'),
    })
    put(7, { pid: 1, started: '', host: hostname(), machine: 'another of this name', boot: 'b' })
    await expect(RunLock.acquire(folder)).rejects.toMatchObject(locked)
    await RunLock.acquire(folder, true)
    expect(locks()).toEqual(['run.lock.8'])
  })

  test('whose file is not to be read is followed, for no process leaves such', async () => {
    writeFileSync(path.join(folder, 'run.lock.1'), '')
    await RunLock.acquire(folder)
    expect(locks()).toEqual(['run.lock.2'])
  })
})

test('of many that want it at once, one gets it', async () => {
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'close')
  const lock = await RunLock.acquire(folder)
  const mine = owner(1)
  await lock.release()
  for (let round = 2; round < 12; ++round) {
    for (const name of locks()) rmSync(path.join(folder, name))
    put(round, { ...mine, pid: dead.pid, started: '1' })
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.acquire(folder)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(all.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))).toEqual(
      Array.from({ length: 7 }, () => 'host.run_locked'),
    )
    expect(locks()).toEqual([`run.lock.${round + 1}`])
  }
})

describe('the fence', () => {
  test('stops an owner that lost its run: what it writes then is kept for nobody, and not in the journal of the next', async () => {
    const journal = path.join(folder, 'journal.jsonl')
    const first = await RunLock.acquire(folder)
    const old = await JournalFile.create(journal, 'one\n', { fence: () => first.check() })
    old.append('two\n')
    await old.flush()
    const second = await RunLock.acquire(folder, true)
    const next = await JournalFile.create(journal, readFileSync(journal), { fence: () => second.check() })
    const heard: unknown[] = []
    old.onFailure((error) => heard.push(error))
    old.append('late\n')
    await expect(old.flush()).rejects.toMatchObject(locked)
    expect(heard).toMatchObject([locked])
    old.append('later\n')
    await expect(old.flush()).rejects.toMatchObject(locked)
    next.append('three\n')
    await next.flush()
    await Promise.all([old.close(), next.close()])
    expect(readFileSync(journal, 'utf8')).toBe('one\ntwo\nthree\n')
    await first.release()
    expect(owner(2)).not.toHaveProperty('released')
  })
})
