// Runs programs and times stages. A stage is silent while it goes well; its whole output appears when it fails.
import { spawn } from 'node:child_process'
import { root } from './paths.mjs'

/** A failure whose message is all that a person needs: the scripts print it without a stack. */
export class Stop extends Error {}

const verbose = process.env.AETHERFLOW_VERBOSE === '1'

/**
 * Runs a program to its end and resolves to `{ code, output }`; `code` is 128 when a signal ended it.
 * `timeoutMs` kills it; `show` lets it write to the terminal itself, and `output` is empty then. `over`: what it says when its work is
 * done and it does not end: it is killed then, and `lingered` is true.
 */
export function run(program, args, { env = {}, show = verbose, cwd = root, timeoutMs = 0, over } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    })
    const pieces = []
    let lingered = false
    const hear = (piece) => {
      pieces.push(piece)
      if (over === undefined || !over.test(String(piece))) return
      lingered = true
      child.kill('SIGKILL')
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.on('error', (error) => resolve({ code: 127, output: `${program}: ${error.message}\n`, lingered }))
    child.on('close', (code) => resolve({ code: code ?? 128, output: Buffer.concat(pieces).toString(), lingered }))
  })
}

/** As `run`, but anything other than exit code 0 is a Stop that carries the output. */
export async function must(program, args, options) {
  const { code, output } = await run(program, args, options)
  if (code !== 0) throw new Stop(`${output.trimEnd()}\n${program} ${args.join(' ')}: exit ${code}`)
  return output
}

/** Node itself, never whatever `node` comes first on the path: Debian's Emscripten brings an older one. */
export const mustNode = (args, options) => must(process.execPath, args, options)

/** Runs `work`, then prints one line: name, what `work` returned (if a text), seconds. */
export async function stage(name, work) {
  const start = performance.now()
  const words = await work()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${name.padEnd(16)} ${`${seconds} s`.padStart(8)}${typeof words === 'string' ? `   ${words}` : ''}`)
}

/** The frame of every script: prints a Stop as its message alone and sets the exit code. */
export async function main(work) {
  try {
    process.exitCode = (await work()) ?? 0
  } catch (error) {
    console.error(error instanceof Stop ? error.message : error)
    process.exitCode = 1
  }
}
