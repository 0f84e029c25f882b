import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RuleDescription } from './description.js'
import { Ledger, type Entry } from './ledger.js'
import type { Question } from './serve.js'

/** A fault server in another process. Its clock is not this one's: compare its times only with each other. */
export class RemoteFaultServer {
  readonly #child: ChildProcess
  readonly origin: string
  #asked = 0

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child
    this.origin = origin
  }

  static async start(): Promise<RemoteFaultServer> {
    const child = fork(fileURLToPath(new URL('serve.js', import.meta.url)), { stdio: 'inherit', execArgv: [] })
    const [{ origin }] = (await once(child, 'message')) as [{ origin: string }]
    return new RemoteFaultServer(child, origin)
  }

  at(provider: string): string {
    return `${this.origin}/${provider}`
  }

  async script(rules: readonly RuleDescription[]): Promise<void> {
    await this.#question({ ask: 'script', rules })
  }

  /** What it has seen so far. */
  async ledger(): Promise<Ledger> {
    const ledger = new Ledger()
    ledger.entries.push(...(await this.#question({ ask: 'ledger' })))
    return ledger
  }

  async close(): Promise<void> {
    const closed = once(this.#child, 'exit')
    this.#child.disconnect()
    await closed
  }

  async #question(
    question: { ask: 'ledger' } | { ask: 'script'; rules: readonly RuleDescription[] },
  ): Promise<Entry[]> {
    const number = this.#asked++
    const answered = new Promise<Entry[]>((resolve) => {
      const look = (message: { number: number; entries: Entry[] }): void => {
        if (message.number !== number) return
        this.#child.off('message', look)
        resolve(message.entries)
      }
      this.#child.on('message', look)
    })
    this.#child.send({ ...question, number } satisfies Question)
    return answered
  }
}
