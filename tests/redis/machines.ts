/** Machines: processes that a test starts, orders about, and kills. */
import { fork, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { root } from '../checks/sources.js'
import { environment } from '../node/cli-process.js'
import type { Order, Told } from './machine.js'

const program = path.join(root, 'build/tests-js/tests/redis/machine.js')

export class Machine {
  static readonly #all = new Set<Machine>()
  readonly told: Told[] = []
  readonly child: ChildProcess
  readonly #waiting = new Set<() => void>()

  constructor(order: Order, env: Readonly<Record<string, string>> = {}) {
    this.child = fork(program, { execArgv: [], env: environment(env) })
    Machine.#all.add(this)
    this.child.on('message', (told: Told) => {
      this.told.push(told)
      for (const look of [...this.#waiting]) look()
    })
    this.child.on('exit', () => {
      for (const look of [...this.#waiting]) look()
    })
    this.send(order)
  }

  /** Resolves with the first of what it tells of those types, or rejects when it ends without. */
  async until<T extends Told['type']>(...types: readonly T[]): Promise<Extract<Told, { type: T }>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.told.find((told) => (types as readonly string[]).includes(told.type))
        if (found === undefined && this.child.exitCode === null && this.child.signalCode === null) return
        this.#waiting.delete(look)
        if (found === undefined) reject(new Error(`the machine ended without ${types.join()}`))
        else resolve(found as Extract<Told, { type: T }>)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when it has ended by itself. */
  async ended(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    await new Promise((resolve) => this.child.once('exit', resolve))
  }

  /** Another order, for one that has ended its last. */
  send(order: Order): this {
    this.told.length = 0
    this.child.send(order)
    return this
  }

  async kill(): Promise<void> {
    Machine.#all.delete(this)
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }

  static async killAll(): Promise<void> {
    await Promise.all([...Machine.#all].map((machine) => machine.kill()))
  }
}
