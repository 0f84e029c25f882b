// In a page of a real browser: similarity search, time per step with and without journal and cache, the cache's database.
//   node tests/bench/page.mjs [--quick]     after a build; needs Chromium (AETHERFLOW_CHROMIUM, or in the PATH)
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../../dist/', import.meta.url))
const quick = process.argv.includes('--quick')
const types = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}

const server = createServer((request, reply) => {
  const { pathname } = new URL(request.url, 'http://page')
  if (pathname === '/')
    return reply.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>bench</title>')
  readFile(path.join(root, path.posix.normalize(pathname))).then(
    (body) => reply.writeHead(200, { 'content-type': types[path.extname(pathname)] ?? 'text/plain' }).end(body),
    () => reply.writeHead(404).end(),
  )
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const places = (process.env.PATH ?? '').split(path.delimiter).map((folder) => path.join(folder, 'chromium'))
const executablePath = [process.env.AETHERFLOW_CHROMIUM, ...places].find((file) => file && existsSync(file))
if (executablePath === undefined) {
  console.log('skipped: no Chromium on this system')
  process.exit(0)
}
const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
const page = await browser.newPage()
await page.goto(`http://127.0.0.1:${server.address().port}/`)

const ms = (value) => (value < 0.1 ? `${(value * 1000).toFixed(1)} µs` : `${value.toFixed(value < 10 ? 2 : 0)} ms`)

/** Random unit vectors; of the search nothing else matters but how many there are, when no two are near. */
async function search(counts) {
  const { CacheCore, defaultLimits } = await import('/bindings/cache/core.js')
  const { default: create } = await import('/core/aetherflow_cache.mjs')
  const module = await create()
  const data = await (await fetch('/core/aetherflow_cache.json')).json()
  const dimensions = 384
  const vector = () => {
    const made = Float32Array.from({ length: dimensions }, () => Math.random() - 0.5)
    const length = Math.hypot(...made)
    return made.map((value) => value / length)
  }
  const told = []
  const limits = { ...defaultLimits, entries: 200_000 }
  const core = new CacheCore(module, data, { dimensions, checksum: 'x', limits, secret: '0'.repeat(32) })
  const scope = core.scopeKey({})
  const space = core.spaceKey(scope, 'bench', 'x')
  const answer = { bytes: 10, ttlMs: 1e9, whole: true, failed: false, holds: true, empty: false }
  let there = 0
  for (const count of counts) {
    for (; there < count; there++)
      core.insert(space, core.put(core.requestKey(scope, `${there}`), scope, answer, 1).id, vector())
    for (const floor of [-1, 0.7]) {
      const asked = Array.from({ length: 30 }, vector)
      core.nearest(space, asked[0], 8, floor)
      const times = asked.map((one) => {
        const begun = performance.now()
        // The page's clock is coarse: several at once.
        for (let i = 0; i < 5; i++) core.nearest(space, one, 8, floor)
        return (performance.now() - begun) / 5
      })
      times.sort((a, b) => a - b)
      told.push({ count, floor, p50: times[15], p95: times[28] })
    }
  }
  return told
}

async function steps(count) {
  const api = await import('/browser/index.js')
  const plan = {
    task_id: 'bench',
    description: 'd',
    steps: Array.from({ length: count }, (_, n) => ({
      id: `s${n}`,
      type: 'analysis',
      description: `part ${n}`,
      estimated_tokens: 30,
      dependencies: n < 10 ? [] : [`s${n - 10}`],
    })),
  }
  const told = []
  const ways = {
    plain: {},
    journal: { journal: 'bench' },
    'cache, filled': { cache: { name: 'bench' } },
    'cache, all hits': { cache: { name: 'bench' } },
  }
  await api.runPlan({ ...plan, steps: plan.steps.slice(0, 1) }, { simulate: 'instant' })
  for (const [way, options] of Object.entries(ways)) {
    const begun = performance.now()
    const { report } = await api.runPlan(plan, { simulate: 'instant', ...options })
    told.push({ way, perStep: (performance.now() - begun) / count, calls: report.totals.calls })
  }
  return told
}

async function database(counts) {
  const { IndexedDbStore } = await import('/web/browser/indexeddb/store.js')
  const key = (number) => number.toString(16).padStart(32, '0')
  const text = 'What stands in the manual about this part of the machine, and why? '.repeat(8)
  const entry = (number) => ({
    ...{ key: key(number), scope: key(1), label: 'p/m', createdAt: number, expiresAt: 9e12, bytes: 1200 },
    ...{
      space: key(2),
      vector: key(number),
      worth: { tokens: 1, microUsd: 1, ms: 1 },
      prompt: `${number} ${text}`,
      answer: text,
    },
  })
  const timed = async (work, times = 1) => {
    const begun = performance.now()
    for (let i = 0; i < times; i++) await work(i)
    return (performance.now() - begun) / times
  }
  const told = []
  const store = new IndexedDbStore('store')
  await store.open()
  let there = 0
  for (const count of counts) {
    const from = there
    const fill = await timed(async () => {
      for (; there < count; there += 250)
        await Promise.all(Array.from({ length: 250 }, (_, i) => store.put(entry(there + i))))
    })
    // The first look lists everything.
    await store.changes()
    const late = new IndexedDbStore('store')
    const open = await timed(async () => (await late.open(), await late.changes()))
    told.push({
      count,
      putInGroups: fill / (count - from),
      putAlone: await timed((i) => store.put(entry(i)), 100),
      read: await timed((i) => late.read(key((i * 7919) % count)), 200),
      open,
      unchanged: await timed(() => store.changes(), 200),
      oneChanged: await timed(async (i) => (await store.put(entry(i)), await late.changes()), 50),
    })
    await late.close()
  }
  await store.close()
  return told
}

console.log('similarity search, 384 dimensions, best 8, in the page (WebAssembly):')
for (const { count, floor, p50, p95 } of await page.evaluate(search, quick ? [1000] : [1000, 10_000, 100_000]))
  console.log(
    `  ${String(count).padStart(6)} vectors, floor ${String(floor).padStart(3)}: p50 ${ms(p50)}, p95 ${ms(p95)}`,
  )

const count = quick ? 100 : 1000
console.log(`a plan of ${count} steps in the worker, provider simulated without waits, wall clock for each step:`)
for (const { way, perStep, calls } of await page.evaluate(steps, count))
  console.log(`  ${way.padEnd(16)} ${ms(perStep)} (${calls} calls)`)

console.log('the cache in IndexedDB:')
for (const row of await page.evaluate(database, quick ? [1000] : [1000, 10_000, 100_000])) {
  const { count, ...times } = row
  const words = Object.entries(times).map(([name, value]) => `${name} ${ms(value)}`)
  console.log(`  ${String(count).padStart(6)} entries: ${words.join(', ')}`)
}
await browser.close()
server.close()
