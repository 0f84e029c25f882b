/** `pullModel` against a server on a loopback socket: broken connections, other files, redirects, wrong bytes, proxies. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { knownModels } from '../../node/model/catalogue.js'
import { listModels } from '../../node/model/manifest.js'
import { redirected } from '../../node/model/http.js'
import { pullModel, type PullEvent, type PullOptions } from '../../node/model/pull.js'
import { sharedPath } from '../fixtures/paths.js'
import { FileServer } from './file-server.js'

jest.setTimeout(60_000)

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
/** Bytes that compress to nothing and repeat nowhere. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let at = 0; at < length; at++) bytes[at] = (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24
  return bytes
}

const model = noise(3_000_000, 1)
let server: FileServer
let scratch = ''
const target = (): string => path.join(scratch, 'models/own')
const file = (name = 'model.onnx'): string => path.join(target(), name)
let events: PullEvent[] = []

beforeEach(async () => {
  scratch = mkdtempSync(path.join(tmpdir(), 'aetherflow-pull-'))
  server = await FileServer.start()
  server.files.set('/m/tokenizer.json', Buffer.from('{"model":{}}'))
  server.files.set('/m/config.json', Buffer.from('{"hidden_size":8}'))
  server.files.set('/m/onnx/model.onnx', model)
  events = []
})
afterEach(async () => {
  await server.close()
  rmSync(scratch, { recursive: true, force: true })
})

const pull = (more: PullOptions = {}) =>
  pullModel({
    name: 'own',
    url: `${server.url}/m`,
    to: target(),
    env: {},
    pauseMs: 1,
    onEvent: (e) => events.push(e),
    ...more,
  })
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => String((error as { code?: unknown }).code),
  )
const faults = (...list: NonNullable<ReturnType<FileServer['faults']['get']>>): void =>
  void server.faults.set('/m/onnx/model.onnx', list)
const asked = () => server.of('/m/onnx/model.onnx')
const parts = (): string[] => readdirSync(target()).filter((name) => name.includes('.part') || name.startsWith('.pull'))

describe('a model from a server', () => {
  test('every file, its checksums shown and remembered; optional ones may be missing', async () => {
    const pulled = await pull()
    expect(pulled.files.map((each) => each.file)).toEqual(['tokenizer.json', 'config.json', 'model.onnx'])
    expect(readFileSync(file()).equals(model)).toBe(true)
    const kept = JSON.parse(readFileSync(file('model.json'), 'utf8')) as { files: unknown[] }
    expect(kept.files).toContainEqual({ file: 'model.onnx', bytes: model.length, sha256: sha256(model), known: false })
    expect(parts()).toEqual([])
    const last = events.filter((event) => event.type === 'bytes').at(-1)
    expect(last).toEqual({ type: 'bytes', file: 'model.onnx', received: model.length, total: model.length })
  })

  test('what is there and whole is not fetched again; what was damaged is', async () => {
    await pull()
    await pull()
    expect(asked()).toHaveLength(1)
    expect(events.filter((event) => event.type === 'file' && event.kept)).toHaveLength(3)
    writeFileSync(file(), noise(model.length, 2))
    const models = path.join(scratch, 'models')
    expect((await listModels(models))[0]!.damaged).toEqual([])
    expect((await listModels(models, true))[0]!.damaged).toEqual(['model.onnx'])
    await pull()
    expect(asked()).toHaveLength(2)
    expect((await listModels(models, true))[0]!.damaged).toEqual([])
  })

  test('a file may be named; one that is no model is refused', async () => {
    server.files.set('/m/onnx/other.onnx', noise(1000, 7))
    expect((await pull({ file: 'other.onnx' })).files.at(-1)!.file).toBe('other.onnx')
    expect(asked()).toHaveLength(0)
    expect(await code(pull({ file: '../x.onnx' }))).toBe('host.usage')
    expect(await code(pull({ file: 'model.bin' }))).toBe('host.usage')
  })

  test('names that would lead out of the folder, and addresses of other kinds, are refused', async () => {
    for (const name of ['../x', 'a/../b', '.hidden', 'a/b/c', '']) expect(await code(pull({ name }))).toBe('host.usage')
    expect(await code(pull({ url: 'file:///etc' }))).toBe('host.usage')
    expect(await code(pullModel({ name: 'unheard-of', to: target(), env: {} }))).toBe('host.usage')
  })

  test('without a tokenizer or a model it is none', async () => {
    server.files.delete('/m/onnx/model.onnx')
    expect(await code(pull())).toBe('cache.download_failed')
    expect(existsSync(file('model.json'))).toBe(false)
    server.files.delete('/m/tokenizer.json')
    rmSync(target(), { recursive: true })
    expect(await code(pull())).toBe('cache.download_failed')
  })
})

describe('a connection that breaks', () => {
  test('goes on from the byte where it ended, as often as it brings something', async () => {
    faults(...Array.from({ length: 9 }, () => ({ cutAfter: 200_000 })))
    await pull()
    expect(readFileSync(file()).equals(model)).toBe(true)
    const starts = asked().map(({ range }) => Number(range?.slice(6, -1) ?? 0))
    expect(starts).toHaveLength(10)
    expect(starts.slice(1).every((start, at) => start > starts[at]!)).toBe(true)
    expect(
      asked()
        .slice(1)
        .every(({ status, ifRange }) => status === 206 && ifRange !== undefined),
    ).toBe(true)
    expect(events.filter((event) => event.type === 'retry')).toHaveLength(9)
  })

  test('gives up when nothing comes, keeps the beginning, and the next call goes on', async () => {
    faults({ cutAfter: 1_000_000 }, ...Array.from({ length: 5 }, () => ({ cutAfter: 0 })))
    expect(await code(pull())).toBe('cache.download_failed')
    expect(existsSync(file())).toBe(false)
    const before = asked().length
    await pull()
    const [again] = asked().slice(before)
    expect(again).toMatchObject({ status: 206 })
    expect(Number(again!.range!.slice(6, -1))).toBeGreaterThan(0)
    expect(readFileSync(file()).equals(model)).toBe(true)
  })

  test('a server that ignores the range sends everything, and that is taken', async () => {
    faults({ cutAfter: 1_000_000 }, { ignoreRange: true })
    await pull()
    expect(asked().map(({ status }) => status)).toEqual([200, 200])
    expect(readFileSync(file()).equals(model)).toBe(true)
  })

  for (const ignoring of [false, true])
    test(`a file that changed meanwhile is fetched anew${ignoring ? ', also from a server that ignores If-Range' : ''}`, async () => {
      const other = noise(2_500_000, 3)
      faults({ cutAfter: 1_000_000 }, { status: 503 }, ignoring ? { ignoreIfRange: true } : undefined)
      await pull({ onEvent: (event) => event.type === 'retry' && server.files.set('/m/onnx/model.onnx', other) })
      expect(readFileSync(file()).equals(other)).toBe(true)
    })

  test('that became shorter than what has arrived: anew', async () => {
    const short = noise(1000, 4)
    faults({ cutAfter: 1_000_000 }, { ignoreIfRange: true })
    await pull({ onEvent: (event) => event.type === 'retry' && server.files.set('/m/onnx/model.onnx', short) })
    expect(asked().map(({ status }) => status)).toContain(416)
    expect(readFileSync(file()).equals(short)).toBe(true)
  })

  for (const etags of ['weak', 'none'] as const)
    test(`without a mark that vouches for the bytes (${etags}) it starts over`, async () => {
      server.etags = etags
      faults({ cutAfter: 1_000_000 })
      await pull()
      expect(asked().map(({ range }) => range)).toEqual([undefined, undefined])
      expect(readFileSync(file()).equals(model)).toBe(true)
    })

  test('an interruption keeps the beginning, and ends at once', async () => {
    const control = new AbortController()
    faults({ holdAfter: 500_000 })
    const held = server.held()
    const pulling = pull({ signal: control.signal })
    const outcome = expect(pulling).rejects.toThrow('enough')
    await held
    control.abort(new Error('enough'))
    await outcome
    expect(existsSync(file())).toBe(false)
    await pull()
    expect(readFileSync(file()).equals(model)).toBe(true)
  })
})

describe('a server that refuses', () => {
  test('429 and 503 are waited for as long as they say', async () => {
    faults({ status: 429, headers: { 'retry-after': '0' } }, { status: 503, headers: { 'retry-after-ms': '7' } })
    await pull()
    expect(events.flatMap((event) => (event.type === 'retry' ? [event.waitMs] : []))).toEqual([0, 7])
  })

  test('one that wants to be left alone for an hour is told of, not waited for', async () => {
    faults({ status: 429, headers: { 'retry-after': '3600' } })
    await expect(pull()).rejects.toMatchObject({
      code: 'cache.download_failed',
      detail: expect.stringContaining('3600 s') as unknown,
    })
  })

  test('refusals that stay are final at once', async () => {
    for (const status of [401, 403, 400]) {
      faults({ status })
      expect(await code(pull())).toBe('cache.download_failed')
    }
    expect(asked()).toHaveLength(3)
  })

  test('nobody listens: cache.download_failed', async () => {
    const closed = await FileServer.start()
    await closed.close()
    expect(await code(pull({ url: closed.url }))).toBe('cache.download_failed')
  })
})

describe('redirects', () => {
  test('to another server are followed, and the token stays with the hub', async () => {
    const store = await FileServer.start()
    try {
      store.files.set('/blob', model)
      server.files.set('/me/mine/resolve/main/tokenizer.json', Buffer.from('{}'))
      server.faults.set('/me/mine/resolve/main/onnx/model.onnx', [{ redirect: `${store.url}/blob?signature=secret` }])
      const env = { HF_ENDPOINT: server.url, HF_TOKEN: 'hf_canary', XDG_CACHE_HOME: scratch }
      const pulled = await pullModel({ name: 'me/mine', env, pauseMs: 1 })
      expect(pulled.folder).toBe(path.join(scratch, 'aetherflow/models/me/mine'))
      expect(readFileSync(path.join(pulled.folder, 'model.onnx')).equals(model)).toBe(true)
      expect(server.served.every(({ authorization }) => authorization === 'Bearer hf_canary')).toBe(true)
      expect(store.served.map(({ authorization }) => authorization)).toEqual([undefined])
    } finally {
      await store.close()
    }
  })

  test('a server that is not the hub never sees the token', async () => {
    await pull({ env: { HF_TOKEN: 'hf_canary' } })
    expect(server.served.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  test('after one that broke, the way begins at the hub again', async () => {
    const store = await FileServer.start()
    try {
      store.files.set('/blob', model)
      store.faults.set('/blob', [{ cutAfter: 1_000_000 }])
      faults({ redirect: `${store.url}/blob?1` }, { redirect: `${store.url}/blob?2` })
      await pull()
      expect(asked()).toHaveLength(2)
      expect(store.of('/blob').map(({ status }) => status)).toEqual([200, 206])
      expect(readFileSync(file()).equals(model)).toBe(true)
    } finally {
      await store.close()
    }
  })

  test('in a circle, and to other kinds of addresses, end', async () => {
    faults(...Array.from({ length: 20 }, () => ({ redirect: '/m/onnx/model.onnx' })))
    expect(await code(pull())).toBe('cache.download_failed')
    expect(asked()).toHaveLength(6)
    faults({ redirect: 'file:///etc/passwd' })
    expect(await code(pull())).toBe('cache.download_failed')
  })
})

test('from https to http is refused', () => {
  const from = new URL('https://hub.example/a')
  expect(redirected(from, '/b').href).toBe('https://hub.example/b')
  expect(() => redirected(from, 'http://hub.example/b')).toThrow(
    expect.objectContaining({ code: 'cache.download_failed' }),
  )
})

describe('checksums that are known', () => {
  const known = knownModels[0]!
  const folder = sharedPath('models/all-MiniLM-L6-v2')
  const there = existsSync(folder)
  if (!there) console.warn(`skipped: no development model in ${folder}`)

  ;(there ? test : test.skip)('hold for the real files; wrong bytes are removed, and both sums named', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
      server.files.set(`/m/${name}`, readFileSync(path.join(folder, name)))
    const { bytes, sha256: expected } = known.files.at(-1)!
    server.files.set('/m/onnx/model.onnx', new Uint8Array(bytes))
    const got = sha256(new Uint8Array(bytes))
    await expect(pull({ name: known.name })).rejects.toMatchObject({
      code: 'cache.download_failed',
      detail: expect.stringMatching(new RegExp(`${expected}.*${got}`)) as unknown,
    })
    expect(events.filter((event) => event.type === 'file' && event.verified)).toHaveLength(3)
    expect(readdirSync(target()).sort()).toEqual(['config.json', 'tokenizer.json', 'tokenizer_config.json'])
  })

  test('a file of another length is refused before it is fetched', async () => {
    server.files.set('/m/config.json', noise(500_000, 9))
    await expect(pull({ name: known.name })).rejects.toMatchObject({
      code: 'cache.download_failed',
      detail: 'expected 612 bytes, got 500000',
    })
    expect(parts()).toEqual([])
  })
})

describe('the folder', () => {
  test('one process at a time fetches into it; one that died does not stop the next', async () => {
    faults({ holdAfter: 500_000 })
    const control = new AbortController()
    const held = server.held()
    const first = pull({ signal: control.signal })
    const outcome = expect(first).rejects.toThrow()
    await held
    expect(await code(pull())).toBe('cache.download_failed')
    const lock = JSON.parse(readFileSync(file('.pull.lock'), 'utf8')) as object
    control.abort()
    await outcome
    writeFileSync(file('.pull.lock'), JSON.stringify({ ...lock, pid: 2 ** 22 + 1 }))
    await pull()
    expect(parts()).toEqual([])
  })

  test('that cannot be made: host.io_failed', async () => {
    writeFileSync(path.join(scratch, 'file'), '')
    expect(await code(pull({ to: path.join(scratch, 'file/below') }))).toBe('host.io_failed')
  })
})

describe('a proxy', () => {
  let proxy: Server
  const tunnels: string[] = []
  beforeEach(async () => {
    proxy = createServer().on('connect', (request, socket, head) => {
      tunnels.push(request.url ?? '')
      const [host = '', port] = (request.url ?? '').split(':')
      const far = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        far.write(head)
        far.pipe(socket).pipe(far)
      })
      for (const end of [far, socket]) end.on('error', () => (far.destroy(), socket.destroy()))
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    process.env['http_proxy'] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    delete process.env['http_proxy']
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
  })

  test('of the environment is used', async () => {
    await pull()
    expect(readFileSync(file()).equals(model)).toBe(true)
    expect(new Set(tunnels)).toEqual(new Set([new URL(server.url).host]))
  })
})
