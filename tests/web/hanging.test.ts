/** Waits on what a browser offers, with stand-ins that never answer; their time is the test's. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { fetchModel } from '../../web/browser/cache/model-files.js'
import { loadRuntime } from '../../web/browser/cache/model-runtime.js'
import { afterAwake, within } from '../../web/browser/patience.js'
import { lockedRuns, lockRun } from '../../web/browser/run/journal-lock.js'
import { Pulse } from '../../web/browser/worker/pulse.js'

const never = (): Promise<never> => new Promise(() => undefined)
const replaced: [string, PropertyDescriptor | undefined][] = []
const replace = (name: string, value: unknown): void => {
  replaced.push([name, Object.getOwnPropertyDescriptor(globalThis, name)])
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))
afterEach(() => {
  jest.useRealTimers()
  for (const [name, before] of replaced.splice(0).reverse()) {
    if (before === undefined) Reflect.deleteProperty(globalThis, name)
    else Object.defineProperty(globalThis, name, before)
  }
})
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code: string; detail: string }) => `${error.code}: ${error.detail}`,
  )

test('what comes in time counts, what comes late does not, and no timer stays', async () => {
  const late = (): Error => new Error('late')
  expect(await within(1000, Promise.resolve(1), late)).toBe(1)
  await expect(within(1000, Promise.reject(new Error('own')), late)).rejects.toThrow('own')
  const waiting = within(1000, never(), late)
  waiting.catch(() => undefined)
  await jest.advanceTimersByTimeAsync(1000)
  await expect(waiting).rejects.toThrow('late')
  expect(jest.getTimerCount()).toBe(0)
})

test('a machine that slept through the whole time has not waited: what came meanwhile is heard first', async () => {
  let then = 0
  afterAwake(10_000, () => (then += 1))
  // On waking the timer that is long due fires, once.
  jest.advanceTimersToNextTimer()
  expect([then, jest.getTimerCount()]).toEqual([0, 1])
  jest.advanceTimersByTime(7_500)
  expect(then).toBe(1)
})

const files: Readonly<Record<string, string>> = {
  '/m/model.onnx': 'bytes of a model',
  '/m/tokenizer.json': '{"version":"1"}',
  '/m/config.json': '{"hidden_size":4}',
}
const fetched: string[] = []
const serve = (address: string | URL): Promise<Response> => {
  const { pathname } = new URL(address)
  fetched.push(pathname)
  const found = files[pathname]
  return Promise.resolve(found === undefined ? new Response('', { status: 404 }) : new Response(found))
}

const absent = { match: () => Promise.resolve(undefined), delete: never, put: never }
test.each([
  ['opens', { open: never }],
  ['finds', { open: () => Promise.resolve({ match: never, delete: never, put: never }) }],
  ['keeps', { open: () => Promise.resolve(absent) }],
])('a Cache API that never %s anything: the model is fetched, and one wait is all it costs', async (_, caches) => {
  replace('caches', caches)
  replace('fetch', serve)
  fetched.length = 0
  const problems: string[] = []
  const ways = {
    progress: () => undefined,
    signal: new AbortController().signal,
    problem: (problem: string) => void problems.push(problem),
  }
  let over = false
  const found = fetchModel('http://models.test/m', ways).finally(() => (over = true))
  let waited = 0
  while (!over) {
    // Checksums are made by threads, whose time is their own: a turn for those, then a second for the rest.
    await new Promise((resolve) => setImmediate(resolve))
    if (jest.getTimerCount() === 0 || over) continue
    await jest.advanceTimersByTimeAsync(100)
    waited += 100
  }
  const { checksum } = await found
  expect(checksum).toBe(createHash('sha256').update(files['/m/model.onnx']!).digest('hex'))
  expect(problems).toEqual([expect.stringContaining('the Cache API did not answer within 30 s')])
  expect(fetched).toEqual(expect.arrayContaining(Object.keys(files)))
  expect(waited).toBeLessThan(60_000)
})

/** Lets 100 ms after 100 ms pass until `work` has ended; gives its end and the time. */
async function passing(work: Promise<unknown>): Promise<{ end: string; waited: number }> {
  let end: string | undefined
  void code(work).then((told) => (end = told))
  for (let waited = 0; ; waited += 100) {
    await new Promise((resolve) => setImmediate(resolve))
    if (end !== undefined) return { end, waited }
    await jest.advanceTimersByTimeAsync(100)
  }
}

const quiet = { progress: () => undefined, problem: () => undefined }

test.each(['headers', 'body'])(
  'a server of models that falls silent in its %s: the download fails, and is given up',
  async (where) => {
    let given: AbortSignal | undefined
    replace('caches', undefined)
    replace('fetch', (_: URL, init: RequestInit) => {
      given = init.signal ?? undefined
      const begun = new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(8)) })
      return where === 'headers' ? never() : Promise.resolve(new Response(begun))
    })
    const { end, waited } = await passing(
      fetchModel('http://models.test/m', { ...quiet, signal: new AbortController().signal }),
    )
    expect(end).toMatch(/^cache\.download_failed: .*the server of the model did not answer within 60 s$/)
    expect(given?.aborted).toBe(true)
    expect(waited).toBeLessThanOrEqual(61_000)
  },
)

test('a runtime that never arrives, and one that never makes a model ready', async () => {
  replace('navigator', {})
  expect(await passing(loadRuntime(never))).toMatchObject({
    end: expect.stringMatching(/^cache\.runtime: .*the address of onnxruntime-web did not answer within 60 s$/),
  })
  const ort = { Tensor: class {}, InferenceSession: { create: never } }
  const runtime = await loadRuntime(() => Promise.resolve(ort))
  const { end } = await passing(runtime.open(new Uint8Array(1)))
  expect(end).toContain('onnxruntime-web did not answer within 120 s')
})

test('locks that are never given nor refused: the run is, in words; one that comes late is given back', async () => {
  let grant: (() => Promise<void>) | undefined
  const request = (_name: string, _options: object, held: () => Promise<void>): Promise<never> => {
    grant = held
    return never()
  }
  replace('navigator', { locks: { request, query: never } })
  const locked = code(lockRun('mine'))
  const listed = code(lockedRuns())
  await jest.advanceTimersByTimeAsync(5_000)
  expect(await Promise.all([locked, listed])).toEqual(
    Array(2).fill('host.io_failed: Web Locks did not answer within 5 s'),
  )
  let released = false
  void grant?.().then(() => (released = true))
  await jest.advanceTimersByTimeAsync(0)
  expect(released).toBe(true)
})

test('a worker is asked while something is waited for; one word is enough, silence for 75 s is not', () => {
  const told: string[] = []
  const pulse = new Pulse(
    () => told.push('ask'),
    (seconds) => told.push(`dead ${seconds}`),
  )
  jest.advanceTimersByTime(600_000)
  expect(told).toEqual([])
  pulse.watch(true)
  for (let quarter = 0; quarter < 20; quarter += 1) {
    jest.advanceTimersByTime(15_000)
    pulse.heard()
  }
  expect(told.splice(0)).toEqual(Array(20).fill('ask'))
  jest.advanceTimersByTime(60_000)
  pulse.watch(false)
  jest.advanceTimersByTime(600_000)
  expect(told.splice(0)).toEqual(Array(4).fill('ask'))
  pulse.watch(true)
  jest.advanceTimersByTime(600_000)
  expect(told).toEqual(['ask', 'ask', 'ask', 'ask', 'dead 75'])
  expect(jest.getTimerCount()).toBe(0)
})
