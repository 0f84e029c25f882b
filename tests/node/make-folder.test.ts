import { afterAll, expect, test } from '@jest/globals'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { makeFolder } from '../../node/make-folder.js'
import { plan, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const { folder, remove } = scratch()
afterAll(remove)

test('makes what is missing, and tells the highest', async () => {
  const deep = path.join(folder, 'a/b/c')
  expect(await makeFolder(deep, 0o700)).toBe(path.join(folder, 'a'))
  expect(statSync(deep).mode & 0o777).toBe(0o700)
  expect(await makeFolder(deep)).toBeUndefined()
  expect(await makeFolder('/')).toBeUndefined()
})

test('many at once do not disturb each other', async () => {
  const deep = path.join(folder, 'x/y/z')
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(deep)))
  expect(existsSync(deep)).toBe(true)
})

test('a file in the way is an error', async () => {
  writeFileSync(path.join(folder, 'file'), '')
  await expect(makeFolder(path.join(folder, 'file'))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(makeFolder(path.join(folder, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

const proc = existsSync('/proc/self')
if (!proc) console.warn('skipped: no /proc, where no folder can be made')
;(proc ? test : test.skip)('where no folder can be made, a run says so instead of trying for ever', async () => {
  await expect(makeFolder('/proc/none/x')).rejects.toMatchObject({ code: 'ENOENT' })
  const words = ['run', plan('diamond'), '--simulate', 'instant', '--output', '/proc/none/x']
  const { code, stderr } = await aetherflow(words)
  expect([code, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining('host.io_failed')])
})
