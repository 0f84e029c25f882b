/** File work while the system is short of open files: sockets and files share one limit, and calls hold most of it for seconds. */
import { errorCode } from './error-code.js'

const scarce = new Set(['EMFILE', 'ENFILE'])
/** Waits between tries double from the first to the longest, ms; after `most` in all the refusal stands. */
const [first, longest, most] = [5, 500, 60_000]

/** Does `work`, again and again while it fails for want of a file handle; every other failure is passed on at once. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  let waited = 0
  for (let wait = first; ; wait = Math.min(2 * wait, longest)) {
    try {
      return await work()
    } catch (error) {
      if (!scarce.has(errorCode(error)) || waited >= most) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
    waited += wait
  }
}

/** Lets at most `places` pieces of work run at once; the others wait in the order they came. */
export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
