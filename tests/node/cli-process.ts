/** The command line as a process of its own, with an environment that holds no keys and no user's configuration. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../checks/sources.js'

export const program = path.join(root, 'dist/node/cli/main.js')
export const plan = (name: string): string => path.join(root, 'examples/plans', `${name}.json`)

/** A folder for one test, and what removes it. */
export function scratch(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-cli-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Where processes work that name no folder: what they leave there goes with this one. */
export const workplace = mkdtempSync(path.join(tmpdir(), 'aetherflow-work-'))
process.on('exit', () => rmSync(workplace, { recursive: true, force: true }))

/** A home that does not exist: no configuration of anyone who runs the tests. */
export const environment = (env: Readonly<Record<string, string>>): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: path.join(tmpdir(), 'nobody'),
  ...env,
})

export interface Options {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly command?: readonly string[]
}

/** A process under way. */
export class Process {
  static readonly #live = new Set<Process>()
  /** Ends what a failed test has left behind. */
  static endAll(): void {
    for (const { child } of Process.#live) child.kill('SIGKILL')
  }

  readonly child: ChildProcessWithoutNullStreams
  stdout = ''
  stderr = ''
  readonly #closed: Promise<number | null>
  readonly #waiting = new Set<() => void>()

  constructor(
    words: readonly string[],
    { env = {}, cwd = workplace, command = [process.execPath, program] }: Options = {},
  ) {
    const [file = '', ...before] = command
    this.child = spawn(file, [...before, ...words], { cwd, env: environment(env) })
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      for (const look of this.#waiting) look()
    })
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      for (const look of this.#waiting) look()
    })
    // A process that has ended reads no input; the test sees that by its exit code.
    this.child.stdin.on('error', () => {})
    this.#closed = new Promise((resolve) => this.child.on('close', resolve))
    Process.#live.add(this)
    void this.#closed.then(() => Process.#live.delete(this))
  }

  /** Waits until standard output holds `text`; throws when the process ends without it. */
  until(text: string): Promise<void> {
    return this.#untilIn(() => this.stdout, text)
  }
  /** The same of standard error. */
  untilSaid(text: string): Promise<void> {
    return this.#untilIn(() => this.stderr, text)
  }

  async #untilIn(said: () => string, text: string): Promise<void> {
    const seen = new Promise<boolean>((resolve) => {
      const look = (): void => {
        if (said().includes(text)) resolve(true)
      }
      this.#waiting.add(look)
      look()
    })
    const found = await Promise.race([seen, this.#closed.then(() => said().includes(text))])
    if (!found) throw new Error(`ended without '${text}': ${this.stdout}${this.stderr}`)
  }

  async exit(): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const code = await this.#closed
    return { code, stdout: this.stdout, stderr: this.stderr }
  }
}

/** Runs to the end; `input` goes to standard input. */
export function aetherflow(words: readonly string[], input = '', options: Options = {}) {
  const started = new Process(words, options)
  started.child.stdin.end(input)
  return started.exit()
}

/** The lines of `--json`. */
export function jsonLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
