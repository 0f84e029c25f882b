/** A real redis-server on loopback for one test file: a free port, a folder of its own, and its end with the tests. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe } from '@jest/globals'
import { connectRedis, type RedisLink, type RedisLinkOptions } from '../../node/redis/link.js'

const there = spawnSync('redis-server', ['--version']).status === 0
if (!there) console.warn('skipped: no redis-server is installed (npm run setup brings it)')

/** Tests that need the server; without one they are skipped, with a message. */
export const withRedis = there ? describe : describe.skip

let made = 0

export class RedisServer {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-redis-'))
  readonly #options: readonly string[]
  port = 0
  #child: ChildProcess | undefined

  constructor(...options: readonly string[]) {
    this.#options = options
  }

  get address(): string {
    return `redis://127.0.0.1:${this.port}/0`
  }

  /** At its port of before when there was one. Resolves once it takes connections. */
  async start(...more: readonly string[]): Promise<void> {
    if (this.port === 0) this.port = await freePort()
    const words = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--save', '']
    const child = spawn('redis-server', [...words, ...this.#options, ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    await new Promise<void>((resolve, reject) => {
      let told = ''
      child.stdout.on('data', (data: Buffer) => {
        told += data.toString()
        if (told.includes('Ready to accept connections')) resolve()
      })
      child.once('exit', () => reject(new Error(`redis-server ended: ${told}`)))
    })
  }

  /** As of `kill`: SIGKILL by default, SIGSTOP and SIGCONT to make it slow. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return
    this.#child = undefined
    await ended
  }

  link(options?: RedisLinkOptions): Promise<RedisLink> {
    return connectRedis(this.address, options)
  }

  async end(): Promise<void> {
    this.#child?.kill('SIGCONT')
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Resolves once it is so; looked at whenever the server changes the key. */
export async function whenKept(link: RedisLink, key: string, what: () => Promise<boolean>): Promise<void> {
  await link.send('CONFIG', 'SET', 'notify-keyspace-events', 'KA')
  let wake = (): void => undefined
  const stop = await link.listen(`__keyspace@0__:${key}`, () => wake())
  for (;;) {
    const news = new Promise<void>((resolve) => (wake = resolve))
    if (await what()) break
    await news
  }
  await stop()
}

/** A prefix that no other test has. */
export const freshPrefix = (): string => `test${process.pid}-${(made += 1)}`

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
