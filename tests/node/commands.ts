/** Command lines in processes that were started before: see command-worker.ts. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { afterAll } from '@jest/globals'
import { root } from '../checks/sources.js'
import { aetherflow as alone, environment, program, workplace, type Options } from './cli-process.js'

export interface CommandLine {
  readonly words: readonly string[]
  readonly input: string
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const worker = path.join(root, 'build/tests-js/tests/node/command-worker.js')
const idle: ChildProcess[] = []
const all = new Set<ChildProcess>()

function started(): ChildProcess {
  const child = fork(worker, [program], { execArgv: [], env: environment({}), silent: true })
  all.add(child)
  return child
}

/**
 * As `aetherflow` of cli-process.ts, without a start for each command. Several at once have a process each, and one that is started in
 * a way of its own has its own too.
 */
export async function aetherflow(words: readonly string[], input = '', options: Options = {}): Promise<Ended> {
  if (options.command !== undefined) return alone(words, input, options)
  const child = idle.pop() ?? started()
  const { cwd = workplace, env = {} } = options
  mkdirSync(cwd, { recursive: true })
  const line: CommandLine = { words, input, cwd, env: environment(env) }
  const ended = await new Promise<Ended>((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`the process of commands ended with ${code}`))
    child.once('exit', died)
    child.once('message', (message) => {
      child.off('exit', died)
      resolve(message as Ended)
    })
    child.send(line)
  })
  idle.push(child)
  return ended
}

// Whatever file uses them: its processes end with it.
afterAll(() => {
  for (const child of all) child.kill('SIGKILL')
})
