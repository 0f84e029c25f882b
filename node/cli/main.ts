#!/usr/bin/env node
/** The process of the command line: signals, broken pipes and the exit code. The only place that ends the process. */
import { systemClock } from '../../web/standard/clock.js'
import { tellFailure } from './failure.js'
import { exitCodes, type Host } from './host.js'
import { main } from './program.js'

const interruption = new AbortController()
const host: Host = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: systemClock,
  program: process.argv[1] ?? '',
  signal: interruption.signal,
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** Asked at once: a terminal that has gone no longer reports itself as one. */
const terminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)

let hungUp = false

/** The first interruption lets the run end in order, the second one does not wait. */
function interrupt(): void {
  if (!interruption.signal.aborted) return interruption.abort()
  // Exiting joins threads that may hang in a read of a dead file system: a third signal then meets no handler, and kills.
  for (const signal of signals) process.removeAllListeners(signal)
  leave(exitCodes.interrupted)
}
/**
 * Node takes back that `nohup` has SIGHUP ignored, and does not say so. But nohup leaves no standard stream at a terminal, and
 * whatever runs without one does not end because one is closed.
 */
function hangUp(): void {
  if (!terminal) return
  hungUp = true
  interrupt()
}
/** Node aborts when it cannot put a terminal back that has gone: then the signal itself ends the process, as it does others. */
function leave(code: number): void {
  if (!hungUp) process.exit(code)
  for (const signal of signals) process.removeAllListeners(signal)
  process.kill(process.pid, 'SIGHUP')
}
for (const signal of signals) process.on(signal, signal === 'SIGHUP' ? hangUp : interrupt)

const gone: ReadonlySet<string> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'])
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads any more (| head, a terminal that was closed): what is in progress is cancelled, what is written later is dropped.
    if (gone.has(error.code ?? '')) interruption.abort()
    else process.exit(exitCodes.failed)
  })
}
process.on('uncaughtException', (error) => {
  tellFailure(error, host)
  process.exit(exitCodes.failed)
})

const code = await main(process.argv.slice(2), host)
// Streams to pipes may still hold bytes on some systems; an empty write is called back after them, or fails.
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => (stream.writable ? stream.write('', () => resolve()) : resolve()))
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
leave(code)
