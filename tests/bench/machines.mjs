// How far one Redis server carries: calls a second over workers beside the same calls in one process, what a worker adds to a call and to
// its first token, limits and journal lines a second; then a million calls over a hundred workers on a virtual clock.
//   node tests/bench/machines.mjs [--quick]      needs redis-server
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectRedis, RedisAuthority, RedisRunStore, RemoteCalls } from '../../dist/node/redis/index.js'
import { realProviders } from '../../dist/node/providers.js'
import { seeded } from '../../dist/web/standard/simulator/random.js'
import { startChatServer } from './lib/chat-server.mjs'
import { figure, median, printMachine, printTable, ratio } from './lib/print.mjs'

const quick = process.argv.includes('--quick')
const calls = quick ? 300 : 2000
const alone = quick ? 40 : 200
const main = fileURLToPath(new URL('../../dist/node/cli/main.js', import.meta.url))

await printMachine()
const folder = mkdtempSync(join(tmpdir(), 'aetherflow-bench-'))
const port = await freePort()
const redis = await started('redis-server', ['--port', String(port), '--save', '', '--dir', folder], 'Ready to accept')
const address = `redis://127.0.0.1:${port}`
const provider = await startChatServer()
const local = { dialect: 'generic', baseUrl: `${provider.url}/v1`, keyEnv: null, key: '' }
writeFileSync(
  join(folder, 'config.json'),
  JSON.stringify({ providers: { local: { ...local, key: undefined, models: { m: { in: 1, out: 1 } } } } }),
)
const request = (text) => ({
  model: 'm',
  system: '',
  user: text,
  maxOutputTokens: 100,
  output: { kind: 'text' },
  stream: true,
})
const children = [redis]
try {
  const one = await measured(realProviders({ entries: [{ id: 'local', ...local }] }).client('local'))
  const rows = [['in process', ...columns(one, one)]]
  let queued
  for (const workers of [1, 2, 4]) {
    while (children.length <= workers) children.push(await worker())
    const remote = await RemoteCalls.open(address)
    const over = await measured(remote.client('local'))
    queued ??= over
    rows.push([`${workers} worker${workers > 1 ? 's' : ''}`, ...columns(over, one)])
    await remote.close()
  }
  console.log(`\n${calls} calls, 64 at once; the provider answers at once`)
  printTable(['calls made', 'calls/s', 'of one process', 'ms a call alone', 'added ms', 'first token, added ms'], rows)
  console.log()
  printTable(
    ['on the server', 'a second'],
    [
      ['limits: ask and settle', figure(await limitsRate())],
      ['journal: lines kept, one after the other', figure(await journalRate())],
    ],
  )
  simulate(queued.rate)
} finally {
  for (const child of children) child.kill('SIGKILL')
  provider.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

function columns(of, base) {
  return [
    figure(of.rate),
    ratio(of.rate, base.rate),
    figure(of.ms),
    figure(of.ms - base.ms),
    figure(of.first - base.first),
  ]
}

/** Calls one after the other for their time, then many at once for their number. */
async function measured(client) {
  const signal = () => new AbortController().signal
  const times = []
  const firsts = []
  for (let n = 0; n < alone; n += 1) {
    const begun = performance.now()
    let first
    await client.generate(request(`alone ${n}`), signal(), { firstToken: () => (first = performance.now() - begun) })
    times.push(performance.now() - begun)
    firsts.push(first)
  }
  const begun = performance.now()
  let next = 0
  const lane = async () => {
    while (next < calls) await client.generate(request(`call ${(next += 1)}`), signal())
  }
  await Promise.all(Array.from({ length: 64 }, lane))
  return { ms: median(times), first: median(firsts), rate: (calls * 1000) / (performance.now() - begun) }
}

async function limitsRate() {
  const link = await connectRedis(address)
  const limits = new RedisAuthority(link, { prefix: 'bench-limits' })
  const group = {
    group: 'g',
    places: 64,
    limits: { tokens_per_minute: 1e9 },
    breakerFailures: 5,
    openMs: 1e4,
    maxOpenMs: 6e4,
    models: [0],
  }
  const member = limits.join([group], () => {})
  const begun = performance.now()
  let next = 0
  const lane = async () => {
    while (next < calls) {
      const call = (next += 1)
      if ((await member.ask({ call, group: 0, tokens: 100, priority: 0 })) === undefined)
        member.settle(call, { tokens: 50, sent: true })
    }
  }
  await Promise.all(Array.from({ length: 32 }, lane))
  const rate = (calls * 1000) / (performance.now() - begun)
  await limits.close()
  await link.close()
  return rate
}

async function journalRate() {
  const link = await connectRedis(address)
  const owned = await new RedisRunStore(link, 'bench').open()
  const writer = await owned.begin({}, '{}\n')
  const begun = performance.now()
  for (let line = 0; line < calls; line += 1) {
    writer.append(`{"t":${line},"e":"tick","v":[]}\n`)
    await writer.flush()
  }
  const rate = (calls * 1000) / (performance.now() - begun)
  await owned.close()
  await link.close()
  return rate
}

/**
 * Calls arrive at random, wait for the queue (one server, whose time a call was measured) and then for a place at a worker; answers take
 * a second in the middle and up to ten. Everything on a virtual clock.
 */
function simulate(queueRate) {
  const [total, workers, places] = [quick ? 100_000 : 1_000_000, 100, 20]
  const random = seeded(7)
  const answer = () =>
    Math.min(10, Math.exp(0.7 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())))
  const mean = Array.from({ length: 20_000 }, answer).reduce((sum, value) => sum + value, 0) / 20_000
  const most = (workers * places) / mean
  const rows = []
  for (const [queue, rate] of [
    [`this server (${figure(queueRate)} calls/s)`, queueRate],
    ['four of them, by tenant', 4 * queueRate],
    ['no limit but the workers', Infinity],
  ])
    for (const load of [0.5, 0.9, 0.99, 1.1]) {
      const arrivals = load * Math.min(rate, most)
      const waits = new Float64Array(total)
      const free = new Float64Array(workers * places)
      let [now, queueFree] = [0, 0]
      for (let call = 0; call < total; call += 1) {
        now -= Math.log(1 - random()) / arrivals
        queueFree = Math.max(now, queueFree) + 1 / rate
        const begins = Math.max(queueFree, free[0])
        replaceFirst(free, begins + answer())
        waits[call] = begins - now
      }
      waits.sort()
      rows.push([
        `${queue}, load ${load}`,
        figure(arrivals),
        figure(waits[total >> 1]),
        figure(waits[Math.floor(total * 0.99)]),
      ])
    }
  console.log(
    `\nsimulated: ${total} calls, ${workers} workers of ${places} places, an answer ${figure(mean)} s (workers alone: ${figure(most)} calls/s)`,
  )
  printTable(['what carries', 'calls/s', 'wait s, half', 'wait s, 99 of 100'], rows)
}

/** A heap with the smallest first. */
function replaceFirst(heap, value) {
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1] < heap[child]) child += 1
    if (heap[child] >= value) break
    heap[at] = heap[child]
    at = child
  }
  heap[at] = value
}

function worker() {
  const words = [main, 'worker', '--redis', address, '--concurrency', '64', '--config', join(folder, 'config.json')]
  return started(process.execPath, words, 'worker ')
}

/** Resolves once it says so. */
function started(program, words, says) {
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    let told = ''
    child.stdout.on('data', (bytes) => {
      told += String(bytes)
      if (told.includes(says)) resolve(child)
    })
    child.once('exit', () => reject(new Error(`${program} ended: ${told}`)))
    child.once('error', reject)
  })
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address()
      server.close(() => resolve(free))
    })
  })
}
