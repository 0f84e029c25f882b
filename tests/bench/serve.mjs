// What `aetherflow serve` adds to a request, beside the same server on loopback called directly, in one interleaved run.
//   node tests/bench/serve.mjs [--quick] [--peers DIR]   ms a request and requests a second at 1, 16, 64 at once, streamed and not
//   node tests/bench/serve.mjs --soak [N]                resident memory of the server over 100,000 requests, or N
//   node tests/bench/serve.mjs --idle [N]                memory of 1,000 streams that wait, or N
// `--peers`: where other gateways are installed, see lib/gateways.mjs.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { check, model, prompt, pump, system } from './lib/calls.mjs'
import { startChatServer } from './lib/chat-server.mjs'
import { startGateways } from './lib/gateways.mjs'
import { figure, median, printMachine, printTable } from './lib/print.mjs'
import { keep } from './lib/results.mjs'

const quick = process.argv.includes('--quick')
const rounds = quick ? 3 : 9
const sizes = [
  { concurrency: 1, calls: quick ? 60 : 150 },
  { concurrency: 16, calls: quick ? 160 : 400 },
  { concurrency: 64, calls: quick ? 256 : 640 },
]
// Some gateways close a connection that was idle for five seconds, and not all of them say so.
const agent = new Agent({ connections: 64, keepAliveTimeout: 2000 })
/** The word behind a flag, as a number. */
const given = (flag, otherwise) => Number(process.argv[process.argv.indexOf(flag) + 1]) || otherwise

await printMachine()
const provider = await startChatServer()
const folder = mkdtempSync(join(tmpdir(), 'aetherflow-bench-'))
const server = await startServe()
const gateways = []
try {
  if (process.argv.includes('--soak')) await soak(given('--soak', 100_000))
  else if (process.argv.includes('--idle')) await idle(given('--idle', 1000))
  else await compare()
} finally {
  for (const { child } of [server, ...gateways]) child.kill('SIGTERM')
  provider.close()
  await agent.close()
  rmSync(folder, { recursive: true, force: true })
}

/** The command in a process of its own, as people run it; the provider is the only one it knows. */
async function startServe() {
  const local = { dialect: 'generic', baseUrl: `${provider.url}/v1`, keyEnv: null, concurrency: 2048, default: model }
  const modes = { build: { rules: [{ name: 'all', use: ['local'], why: 'the only one' }] } }
  const config = { providers: { local: { ...local, models: { [model]: { in: 1, out: 1 } } } }, modes }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const main = fileURLToPath(new URL('../../dist/node/cli/main.js', import.meta.url))
  const words = ['serve', '--port', '0', '--no-auth', '--config', join(folder, 'config.json'), '--state', folder]
  // No key of anyone who runs the bench.
  const env = { PATH: process.env.PATH, HOME: folder }
  const child = spawn(process.execPath, [main, ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  const base = await new Promise((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim())))
  return { child, base }
}

/** What the way through any other process costs. */
async function startBare() {
  const file = fileURLToPath(new URL('./contestants/bare-proxy.mjs', import.meta.url))
  const child = spawn(process.execPath, [file, `${provider.url}/v1`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes).trim())))
  return { name: 'through a bare proxy', url, headers: {}, word: model, child }
}

async function contestants() {
  const at = process.argv.indexOf('--peers')
  if (at >= 0) gateways.push(...(await startGateways(process.argv[at + 1], folder, `${provider.url}/v1`, model)))
  const bare = await startBare()
  gateways.push(bare)
  return [
    { name: 'directly', url: `${provider.url}/v1`, headers: {}, word: model },
    { name: 'through aetherflow serve', url: server.base, headers: {}, word: 'auto', child: server.child },
    ...gateways,
  ]
}

async function ask(whom, stream) {
  try {
    await askOnce(whom, stream)
  } catch (error) {
    // Some gateways close idle connections without a word, just when the next request leaves: clients ask again, and its time counts.
    if (error.code !== 'UND_ERR_SOCKET' && error.code !== 'ECONNRESET') throw error
    await askOnce(whom, stream)
  }
}

async function askOnce({ url, headers, word }, stream) {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: prompt },
  ]
  const reply = await request(`${url}/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json', ...headers },
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
  const everybody = await contestants()
  for (const stream of [false, true]) {
    const all = everybody.filter(({ streams }) => !stream || streams !== false)
    const measured = new Map(all.map(({ name }) => [name, sizes.map(() => ({ wall: [], cpu: [] }))]))
    // The first round compiles.
    for (let round = -1; round < rounds; ++round)
      for (const [at, { concurrency, calls }] of sizes.entries())
        for (const each of all) {
          const [start, worked] = [performance.now(), cpuMs(each.child)]
          await pump(calls, concurrency, () => ask(each, stream))
          if (round < 0) continue
          const { wall, cpu } = measured.get(each.name)[at]
          wall.push((performance.now() - start) / calls)
          cpu.push((cpuMs(each.child) - worked) / calls)
        }
    console.log(`\n${stream ? 'streamed' : 'whole replies'}`)
    for (const [at, { concurrency }] of sizes.entries()) {
      const { wall, cpu } = measured.get(all[1].name)[at]
      const told = (what) => `${stream ? 'streamed' : 'whole'}, ${concurrency} at once, ${what}`
      const direct = measured.get(all[0].name)[at].wall
      keep(
        'serve',
        told('added'),
        wall.map((ms, round) => ms - direct[round]),
        'ms',
      )
      keep('serve', told('processor time'), cpu, 'ms')
    }
    const times = ({ name }, of) => measured.get(name).map((values) => median(values[of]))
    const base = times(all[0], 'wall')
    printTable(
      ['', ...sizes.flatMap(({ concurrency }) => [`${concurrency}: ms each`, 'added', 'its CPU', 'a second'])],
      all.map((each) => [
        each.name,
        ...times(each, 'wall').flatMap((ms, at) => [
          figure(ms),
          figure(ms - base[at]),
          each.child === undefined ? '–' : figure(times(each, 'cpu')[at]),
          figure(1000 / ms),
        ]),
      ]),
    )
  }
  console.log(
    '\n`its CPU`: processor time of that process, ms a request. The goal for ours is 0.3 beyond the call itself, which is what the bare\n' +
      'proxy does.',
  )
}

/** Processor time that a process has used so far, ms; 0 for none. */
function cpuMs(child) {
  if (child === undefined) return 0
  // Of all its threads; in hundredths of a second.
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Of the server's process, MB. */
function resident() {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024
}

/** Resident memory of the server's process, eighth by eighth; a rise from the second to the last would be a leak. */
async function soak(total) {
  const [, ours] = await contestants()
  const told = []
  for (let part = 0; part < 8; ++part) {
    await pump(total / 8, 16, (number) => ask(ours, number % 2 === 1))
    told.push(figure(resident()))
  }
  console.log(`${total} requests, half of them streamed; MB of the server's process by eighth: ${told.join(' → ')}`)
}

/** Streams that have begun, and then hear nothing: the provider holds them. */
async function idle(count) {
  const many = new Agent({ connections: count })
  const before = resident()
  const body = JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content: 'HOLD' }] })
  const headers = { 'content-type': 'application/json' }
  const open = await Promise.all(
    Array.from({ length: count }, () =>
      request(`${server.base}/chat/completions`, { method: 'POST', dispatcher: many, headers, body }),
    ),
  )
  console.log(
    `${open.length} streams that have begun and wait: ${figure(before)} → ${figure(resident())} MB of the server's process`,
  )
  await pump(64, 16, () => ask({ url: server.base, headers: {}, word: 'auto' }, false))
  console.log('meanwhile 64 others were answered')
  await many.destroy()
}
