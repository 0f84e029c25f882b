/**
 * Loaded before the program: kills its process, as `kill -9` does, when it is about to flush a file for the n-th time. The
 * program itself knows nothing of it.
 */
import { open } from 'node:fs/promises'

const killAt = Number(process.env['KILL_AT_SYNC'])
let syncs = 0

const handle = await open(process.execPath, 'r')
const methods = Object.getPrototypeOf(handle) as Record<'sync' | 'datasync', () => Promise<void>>
await handle.close()

for (const name of ['sync', 'datasync'] as const) {
  const sync = methods[name]
  methods[name] = function (this: unknown) {
    syncs += 1
    if (syncs === killAt) process.kill(process.pid, 'SIGKILL')
    return sync.call(this)
  }
}
process.on('exit', () => {
  if (Number.isNaN(killAt)) process.stderr.write(`syncs ${syncs}\n`)
})
