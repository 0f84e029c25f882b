// What `aetherflow serve` adds to a request, beside the same server on loopback called directly, in one interleaved run.
//   node tests/bench/serve.mjs [--quick] [--peer URL,KEY,MODEL]   ms a request and requests a second at 1, 16, 64 at once, streamed and not
//   node tests/bench/serve.mjs --soak [--quick]                   resident memory of the server over 100,000 requests
// `--peer`: another gateway, which somebody has started in front of the address that is printed first.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { check, model, prompt, pump, system } from './lib/calls.mjs'
import { startChatServer } from './lib/chat-server.mjs'
import { figure, median, printMachine, printTable } from './lib/print.mjs'

const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 9
const sizes = [
  { concurrency: 1, calls: quick ? 60 : 150 },
  { concurrency: 16, calls: quick ? 160 : 400 },
  { concurrency: 64, calls: quick ? 256 : 640 },
]
const agent = new Agent({ connections: 64, keepAliveTimeout: 60_000 })

await printMachine()
const provider = await startChatServer()
const folder = mkdtempSync(join(tmpdir(), 'aetherflow-bench-'))
const server = await startServe()
try {
  await (process.argv.includes('--soak') ? soak() : compare())
} finally {
  server.child.kill('SIGTERM')
  provider.close()
  await agent.close()
  rmSync(folder, { recursive: true, force: true })
}

/** The command in a process of its own, as people run it; the provider is the only one it knows. */
async function startServe() {
  const local = { dialect: 'generic', baseUrl: `${provider.url}/v1`, keyEnv: null, concurrency: 64, default: model }
  const modes = { build: { rules: [{ name: 'all', use: ['local'], why: 'the only one' }] } }
  const config = { providers: { local: { ...local, models: { [model]: { in: 1, out: 1 } } } }, modes }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const main = fileURLToPath(new URL('../../dist/node/cli/main.js', import.meta.url))
  const words = ['serve', '--port', '0', '--no-auth', '--config', join(folder, 'config.json'), '--state', folder]
  // No key of whoever runs the bench.
  const env = { PATH: process.env.PATH, HOME: folder }
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const base = await new Promise((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim())))
  return { child, base }
}

function contestants() {
  const at = process.argv.indexOf('--peer')
  const [url, key = '', word = 'auto'] = at < 0 ? [] : process.argv[at + 1].split(',')
  return [
    { name: 'directly', url: `${provider.url}/v1`, key: '', word: model },
    { name: 'through aetherflow serve', url: server.base, key: '', word: 'auto' },
    ...(url === undefined ? [] : [{ name: 'through the peer', url, key, word }]),
  ]
}

async function ask({ url, key, word }, stream) {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: prompt },
  ]
  const reply = await request(`${url}/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', ...(key === '' ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model: word, messages, stream }),
  })
  const text = await reply.body.text()
  if (!stream) return check(JSON.parse(text).choices[0].message.content)
  const pieces = text.split('\n').filter((line) => line.startsWith('data: {'))
  check(pieces.map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content ?? '').join(''))
}

async function compare() {
  console.log(
    `POST of a 4 KB prompt; medians of ${rounds} interleaved rounds. Real: sockets, HTTP, JSON, keys, limits, the core; provider and\n` +
      `gateway have processes of their own, the client has this one. Simulated: the provider at ${provider.url}, which answers at once.`,
  )
  const all = contestants()
  for (const stream of [false, true]) {
    const measured = new Map(all.map(({ name }) => [name, sizes.map(() => [])]))
    // The first round compiles.
    for (let round = -1; round < rounds; ++round)
      for (const [at, { concurrency, calls }] of sizes.entries())
        for (const each of all) {
          const start = performance.now()
          await pump(calls, concurrency, () => ask(each, stream))
          if (round >= 0) measured.get(each.name)[at].push((performance.now() - start) / calls)
        }
    console.log(`\n${stream ? 'streamed' : 'whole replies'}`)
    const times = ({ name }) => measured.get(name).map((values) => median(values))
    const base = times(all[0])
    printTable(
      ['', ...sizes.flatMap(({ concurrency }) => [`${concurrency}: ms each`, 'added', 'a second'])],
      all.map((each) => [
        each.name,
        ...times(each).flatMap((ms, at) => [figure(ms), figure(ms - base[at]), figure(1000 / ms)]),
      ]),
    )
  }
}

/** Resident memory of the server's process, quarter by quarter; a rise from the second to the last would be a leak. */
async function soak() {
  const total = quick ? 8000 : 100_000
  const [, ours] = contestants()
  const resident = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))[1]) / 1024
  const told = []
  for (let quarter = 0; quarter < 4; ++quarter) {
    await pump(total / 4, 16, (number) => ask(ours, number % 2 === 1))
    told.push(figure(resident()))
  }
  console.log(`${total} requests, half of them streamed; MB of the server's process by quarter: ${told.join(' → ')}`)
}
