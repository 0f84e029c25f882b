/** `aetherflow model …` as people meet it: a process, a terminal's bar, an interruption. */
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PullProgress } from '../../node/cli/commands/model-progress.js'
import { FakeClock } from '../sim/fake-clock.js'
import { jsonLines, Process, program, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'
import { FileServer } from './file-server.js'

jest.setTimeout(60_000)

let server: FileServer
let place: ReturnType<typeof scratch>
const model = new Uint8Array(2_000_000).fill(7)
const env = (): Record<string, string> => ({ XDG_CACHE_HOME: place.folder })
const own = (): string => path.join(place.folder, 'aetherflow/models/own')

beforeEach(async () => {
  place = scratch()
  server = await FileServer.start()
  server.files.set('/tokenizer.json', Buffer.from('{}'))
  server.files.set('/model.onnx', model)
})
afterEach(async () => {
  await server.close()
  place.remove()
})
afterAll(() => Process.endAll())

const pull = (...more: string[]) =>
  aetherflow(['model', 'pull', 'own', '--url', server.url, ...more], '', { env: env() })

const mounts = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0
if (!mounts) console.warn('skipped: a full disk needs `unshare -rm` and a tmpfs, which this machine refuses')

describe('aetherflow model', () => {
  test('pull: the folder on stdout, what happens on stderr; list and path find it', async () => {
    server.faults.set('/model.onnx', [{ cutAfter: 900_000 }])
    const { code, stdout, stderr } = await pull()
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${own()}\n` })
    expect(stderr).toContain('tokenizer.json: 2 bytes, SHA-256 44136fa3')
    expect(stderr).toMatch(/model\.onnx: .*; again in 0\.5 s\n/)
    expect(stderr).toContain('model.onnx 100 % of 2.0 MB')
    expect(stderr).not.toContain('\u001b')
    const listed = await aetherflow(['model', 'list', '--verify'], '', { env: env() })
    expect(listed.code).toBe(0)
    expect(listed.stdout).toMatch(/own +2 MB +verified/)
    const found = await aetherflow(['model', 'path', 'own'], '', { env: env() })
    expect(found.stdout).toBe(`${own()}\n`)
  })

  test('pull --json: a line for each event, few of them for bytes, the result last', async () => {
    const { code, stdout, stderr } = await pull('--json', '--to', path.join(place.folder, 'here'))
    const lines = jsonLines(stdout)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines.at(-1)).toMatchObject({ type: 'pulled', folder: path.join(place.folder, 'here') })
    expect(lines.filter(({ type }) => type === 'file')).toHaveLength(2)
    expect(lines.filter(({ type, file }) => type === 'bytes' && file === 'model.onnx').length).toBeLessThanOrEqual(5)
  })

  test('pull of nothing: cache.download_failed, exit code 1; of a name that is none: usage, 2', async () => {
    server.files.clear()
    const { code, stderr } = await pull()
    expect(code).toBe(1)
    expect(stderr).toContain('cache.download_failed')
    const unknown = await aetherflow(['model', 'pull', 'nobody-knows-it'], '', { env: env() })
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain('all-MiniLM-L6-v2')
  })

  test('an interrupted pull ends with 130, and the next goes on where it was', async () => {
    server.faults.set('/model.onnx', [{ holdAfter: 700_000 }])
    const held = server.held()
    const started = new Process(['model', 'pull', 'own', '--url', server.url], { env: env() })
    await held
    const part = path.join(own(), 'model.onnx.part')
    while (!existsSync(part) || statSync(part).size < 700_000) await new Promise((resolve) => setTimeout(resolve, 10))
    started.child.kill('SIGINT')
    expect((await started.exit()).code).toBe(130)
    expect((await pull()).code).toBe(0)
    expect(server.of('/model.onnx').map(({ range }) => range)).toEqual([undefined, 'bytes=700000-'])
  })

  test('a killed pull: the same', async () => {
    server.faults.set('/model.onnx', [{ holdAfter: 700_000 }])
    const held = server.held()
    const started = new Process(['model', 'pull', 'own', '--url', server.url], { env: env() })
    await held
    const part = path.join(own(), 'model.onnx.part')
    while (!existsSync(part) || statSync(part).size === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    started.child.kill('SIGKILL')
    await started.exit()
    expect((await pull()).code).toBe(0)
    expect(readFileSync(path.join(own(), 'model.onnx')).equals(model)).toBe(true)
    expect(server.of('/model.onnx').map(({ status }) => status)).toEqual([200, 206])
  })

  ;(mounts ? test : test.skip)('a full disk: host.io_failed, and no file that looks whole', async () => {
    const disk = path.join(place.folder, 'disk')
    mkdirSync(disk)
    const script = 'mount -t tmpfs -o size=1m none "$0" && "$@"; code=$?; ls "$0"; exit $code'
    const command = ['unshare', '-rm', 'sh', '-c', script, disk, process.execPath, program]
    const words = ['model', 'pull', 'own', '--url', server.url, '--to', disk]
    const { code, stdout, stderr } = await aetherflow(words, '', { env: env(), command })
    expect(code).toBe(1)
    expect(stderr).toMatch(/error host\.io_failed at .*model\.onnx: cannot be written: ENOSPC/)
    expect(stdout.trim().split('\n')).toEqual(['model.onnx.part', 'model.onnx.part.json', 'tokenizer.json'])
  })

  test('list tells of damage, and fails', async () => {
    await pull()
    writeFileSync(path.join(own(), 'model.onnx'), new Uint8Array(2_000_000))
    const quick = await aetherflow(['model', 'list'], '', { env: env() })
    expect(quick.code).toBe(0)
    const thorough = await aetherflow(['model', 'list', '--verify', '--json'], '', { env: env() })
    expect(thorough.code).toBe(1)
    expect(jsonLines(thorough.stdout)[0]).toMatchObject({ models: [{ name: 'own', damaged: ['model.onnx'] }] })
  })

  test('without any: list says how to get one, path fails with cache.model', async () => {
    expect((await aetherflow(['model', 'list'], '', { env: env() })).stdout).toContain('aetherflow model pull')
    const { code, stderr } = await aetherflow(['model', 'path', 'own'], '', { env: env() })
    expect(code).toBe(1)
    expect(stderr).toContain('cache.model')
  })
})

describe('the bar', () => {
  test('is redrawn in place at most ten times a second, and leaves nothing behind', async () => {
    const clock = new FakeClock()
    const written: string[] = []
    const output = { isTTY: true, columns: 60, write: (text: string) => written.push(text) }
    const progress = new PullProgress(output, clock)
    const bytes = (received: number): void =>
      progress.event({ type: 'bytes', file: 'model.onnx', received, total: 4e6 })
    bytes(0)
    bytes(1e6)
    expect(written).toHaveLength(1)
    await clock.advance(1000)
    bytes(2e6)
    expect(written).toHaveLength(2)
    expect(written[1]).toContain('████████████░░░░░░░░░░░░ 50 % of 4.0 MB')
    for (const line of written) expect(line.replace(/^\r/, '').replace('\u001b[K', '').length).toBeLessThan(60)
    progress.event({ type: 'file', file: 'model.onnx', bytes: 4e6, sha256: 'ab', verified: true, kept: false })
    progress.end()
    expect(written.slice(2)).toEqual(['\r\u001b[K', 'model.onnx: 4000000 bytes, checksum verified\n'])
  })
})
