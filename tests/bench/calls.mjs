// What a call costs on the host, beside bare fetch and a peer's library, against the same server on loopback.
//   node tests/bench/calls.mjs [--quick] [--only NAME,NAME]    µs a call at 1, 16 and 64 at once, streamed and not; the reader of events
//   node --expose-gc tests/bench/calls.mjs --soak [--quick]   memory over 100,000 calls
import { createParser } from 'eventsource-parser'
import { startChatServer } from './lib/chat-server.mjs'
import { installPeers } from './lib/peers.mjs'
import { figure, median, printMachine, printTable, ratio } from './lib/print.mjs'
import { keepRatio } from './lib/results.mjs'
import { SseReader } from './lib/product.mjs'

const quick = process.argv.includes('--quick')
const only = process.argv[process.argv.indexOf('--only') + 1]
const names = ['call-fetch', 'call-ai-sdk', 'call-client', 'call-plan', 'call-plan-file'].filter(
  (name) => !process.argv.includes('--only') || only.split(',').includes(name),
)
const floor = 'call-fetch'
const rounds = quick ? 4 : 11
const sizes = [
  { concurrency: 1, calls: 150 },
  { concurrency: 16, calls: 400 },
  { concurrency: 64, calls: 600 },
]

await printMachine()
const server = await startChatServer()
try {
  if (process.argv.includes('--soak')) await soak()
  else {
    await calls()
    await events()
  }
} finally {
  server.close()
}

async function calls() {
  const peers = installPeers()
  const present = names.filter((name) => peers || name !== 'call-ai-sdk')
  const contestants = await Promise.all(
    present.map(async (name) => ({ name, ...(await import(`./contestants/${name}.mjs`)) })),
  )
  console.log(
    `POST of a 4 KB prompt to a server in a process of its own, which answers at once. Medians of ${rounds} interleaved rounds in one\n` +
      'process. Real: sockets, HTTP, JSON, the core. Simulated: the provider, which thinks for no time at all. Processor time is\n' +
      'of this process, the server left out: it is the steadier figure on a machine that does other work.',
  )
  for (const stream of [false, true]) {
    const opened = new Map()
    for (const { name, open } of contestants) opened.set(name, await open({ url: server.url, stream }))
    const measured = new Map(present.map((name) => [name, sizes.map(() => [])]))
    // The first round compiles.
    for (let round = -1; round < rounds; ++round) {
      for (const [at, { concurrency, calls }] of sizes.entries()) {
        for (const name of present) {
          const [start, before] = [performance.now(), process.cpuUsage()]
          await opened.get(name).run(calls, concurrency)
          const [wall, { user, system }] = [(performance.now() - start) * 1000, process.cpuUsage(before)]
          if (round >= 0) measured.get(name)[at].push({ wall: wall / calls, cpu: (user + system) / calls })
        }
      }
    }
    for (const { close } of opened.values()) await close()
    console.log(`\n${stream ? 'streamed' : 'whole replies'}`)
    for (const [key, title] of [
      ['wall', 'µs a call'],
      ['cpu', 'of processor time'],
    ]) {
      const times = (name) => measured.get(name).map((values) => median(values.map((value) => value[key])))
      const base = present.includes(floor) ? times(floor) : []
      printTable(
        [title, ...sizes.flatMap(({ concurrency }) => [`${concurrency} at once`, '÷ fetch'])],
        contestants.map(({ name, words }) => [
          words,
          ...times(name).flatMap((time, at) => [figure(time), ratio(time, base[at])]),
        ]),
      )
    }
    for (const [at, { concurrency }] of sizes.entries())
      for (const name of present)
        for (const key of name === floor || !present.includes(floor) ? [] : ['wall', 'cpu']) {
          const times = (of) => measured.get(of)[at].map((value) => value[key])
          const what = `${name}, ${stream ? 'streamed' : 'whole'}, ${concurrency} at once, ${key} ÷ fetch`
          keepRatio('calls', what, times(name), times(floor))
        }
    for (const { name, words } of contestants) {
      const stats = opened.get(name).stats?.()
      if (stats)
        console.log(
          `${words}: ${figure((stats.reused / stats.requests) * 100)} % of ${stats.requests} on a connection that was there`,
        )
    }
  }
}

/** The reader of events beside the parser it is built on, without JSON. */
async function events() {
  const event = `data: {"id":"x","choices":[{"index":0,"delta":{"content":"lighthouse"},"finish_reason":null}]}\n\n`
  const megabytes = quick ? 8 : 32
  const text = event.repeat(Math.ceil((megabytes * 1024 * 1024) / event.length))
  const bytes = new TextEncoder().encode(text)
  const pieces = (size) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
  const readers = {
    'our reader': (parts) => {
      const reader = new SseReader()
      let count = 0
      for (const part of parts) count += reader.push(part).length
      return count + reader.end().length
    },
    'eventsource-parser alone': (parts) => {
      let count = 0
      const parser = createParser({ onEvent: () => count++ })
      const decoder = new TextDecoder()
      for (const part of parts) parser.feed(decoder.decode(part, { stream: true }))
      return count
    },
    'decoding alone': (parts) => {
      const decoder = new TextDecoder()
      let length = 0
      for (const part of parts) length += decoder.decode(part, { stream: true }).length
      return length > 0 ? text.length / event.length : 0
    },
  }
  const inputs = [pieces(16 * 1024), pieces(event.length)]
  const speeds = new Map(Object.keys(readers).map((name) => [name, inputs.map(() => [])]))
  for (let round = -1; round < rounds; ++round) {
    for (const [at, parts] of inputs.entries()) {
      for (const [name, read] of Object.entries(readers)) {
        const start = performance.now()
        if (read(parts) !== text.length / event.length) throw new Error(`${name} lost events`)
        if (round >= 0) speeds.get(name)[at].push(bytes.length / 1e6 / ((performance.now() - start) / 1000))
      }
    }
  }
  console.log('\nserver-sent events, MB/s')
  printTable(
    ['', '16 KiB pieces', 'one event a piece'],
    [...speeds].map(([name, all]) => [name, ...all.map((values) => figure(median(values)))]),
  )
}

/** Heap after collection, quarter by quarter. A rise from the first to the last would be a leak. */
async function soak() {
  if (!globalThis.gc) throw new Error('--soak needs node --expose-gc')
  const total = quick ? 10_000 : 100_000
  for (const name of ['call-client', 'call-plan']) {
    const { open, words } = await import(`./contestants/${name}.mjs`)
    for (const stream of [false, true]) {
      const { run, close } = await open({ url: server.url, stream })
      await run(1000, 16)
      const heaps = []
      for (let quarter = 0; quarter < 4; ++quarter) {
        for (let done = 0; done < total / 8; done += 500) await run(500, 16)
        await new Promise((resolve) => setTimeout(resolve, 300))
        globalThis.gc()
        heaps.push(process.memoryUsage().heapUsed / 2 ** 20)
      }
      await close()
      const told = heaps.map((heap) => figure(heap)).join(' → ')
      console.log(`${words}, ${stream ? 'streamed' : 'whole'}: ${total / 2} calls, heap MB by quarter ${told}`)
    }
  }
}
