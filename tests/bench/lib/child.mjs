// A case in a process of its own: what one contestant compiles, allocates and leaves behind cannot touch another.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Runs `file` (below tests/bench) with `args` and resolves to the JSON of the last line that it printed;
 * `{ timedOut: true }` when it did not end in `timeoutMs`. Rejects when it failed otherwise.
 */
export function runCase(file, args, { timeoutMs = 0, flags = ['--expose-gc'] } = {}) {
  const script = fileURLToPath(new URL(`../${file}`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...flags, script, ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let timedOut = false
    const timer = timeoutMs > 0 ? setTimeout(() => ((timedOut = true), child.kill('SIGKILL')), timeoutMs) : undefined
    const pieces = []
    child.stdout.on('data', (piece) => pieces.push(piece))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      if (timedOut) return resolve({ timedOut: true })
      if (code !== 0) return reject(new Error(`${file} ${args.join(' ')}: exit ${code}`))
      resolve(JSON.parse(Buffer.concat(pieces).toString().trim().split('\n').at(-1)))
    })
  })
}
