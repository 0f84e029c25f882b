/**
 * The limits and budgets of a server's keys, shared with the servers of other machines: requests and tokens of a minute, requests at
 * once, money of the day, by the rules of one server (node/serve/own-book.ts).
 *
 *   await serve({ book: new RedisBook(link), … })
 *
 * Money of the day is a key's, and of a tenant with a budget that of all its keys together. While the server does not answer nobody is let
 * in. What a server had let in that is gone counts, after its lease, as if it had cost all that was set aside for it; this is taken
 * back when it was not gone after all and tells what came of it, and of a run when another server resumes it.
 */
import { randomBytes } from 'node:crypto'
import { pursesOf, type AccountBook, type Asked, type Decision, type Refused } from '../serve/accounts.js'
import type { ServeKey } from '../serve/keys.js'
import { keysUnder } from './address.js'
import { bookScript } from './book-script.js'
import { runScript, type RedisArgument, type RedisLink } from './link.js'

export interface RedisBookOptions {
  /** What the names of its keys begin with; servers with the same share limits and budgets. Default `aetherflow`. */
  readonly prefix?: string | undefined
  /** So long after its last sign of life a server counts as gone, ms. Default 15000. */
  readonly leaseMs?: number | undefined
}

type Row = readonly [
  refused: Refused | '',
  hold: string,
  requests: number,
  tokens: number,
  resetMs: string,
  spent: string,
]

export class RedisBook implements AccountBook {
  readonly #link: RedisLink
  readonly #base: string
  readonly #leaseMs: number
  readonly #owner = randomBytes(8).toString('hex')
  /** Ends that the server has not taken yet: told again until it has. */
  #owed: (readonly RedisArgument[])[] = []
  #timer: NodeJS.Timeout | undefined
  readonly #underWay = new Set<Promise<void>>()

  constructor(link: RedisLink, { prefix, leaseMs = 15_000 }: RedisBookOptions = {}) {
    this.#link = link
    this.#base = keysUnder(prefix)('keys')
    this.#leaseMs = leaseMs
    this.#timer = setInterval(() => void this.#beat(), leaseMs / 3)
    this.#timer.unref()
  }

  async enter(key: ServeKey, { id, kind, tokens, microUsd }: Asked): Promise<Decision> {
    // A number that the server reads: a run without a budget gets what is left.
    const wanted = Math.ceil(Math.min(microUsd, 1e15))
    const values = bookValues(key, { id, kind, tokens: Math.ceil(tokens), microUsd: wanted })
    const [refused, hold, requests, counted, resetMs] = await this.#act('enter', values)
    return {
      ...(refused === '' ? {} : { refused }),
      microUsd: Number(hold) < 0 ? undefined : Number(hold),
      ...{ requests, tokens: counted, resetMs: Number(resetMs) },
    }
  }

  leave({ name }: ServeKey, { id, kind }: Asked, came: Pick<Asked, 'tokens' | 'microUsd'>): undefined {
    this.#tell([name, id, Math.ceil(came.tokens), Math.ceil(came.microUsd), kind])
  }

  /** Micro-USD that a key has spent today, and that are set aside; of a tenant: `/TENANT`. Rejects with what the connection says. */
  async money(key: string): Promise<{ readonly spent: number; readonly held: number }> {
    const [, held, , , , spent] = await this.#act('state', [key, ''])
    return { spent: Number(spent), held: Number(held) }
  }

  /** Once nobody is let in any more. The link stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#underWay])
    // What a server did not take that was away for a moment.
    if (this.#owed.length > 0) await this.#beat()
    await Promise.all([...this.#underWay])
  }

  #tell(values: readonly RedisArgument[]): void {
    const sent: Promise<void> = this.#act('leave', values)
      .then(
        () => undefined,
        () => void this.#owed.push(values),
      )
      .finally(() => this.#underWay.delete(sent))
    this.#underWay.add(sent)
  }

  /** A sign of life, and what is owed. Never rejects. */
  async #beat(): Promise<void> {
    try {
      await this.#act('beat', [])
      for (const values of this.#owed.splice(0)) this.#tell(values)
    } catch {
      // The next one tries again.
    }
  }

  async #act(operation: string, values: readonly RedisArgument[]): Promise<Row> {
    const all = [operation, this.#owner, -1, this.#leaseMs, ...values]
    return (await runScript(this.#link, bookScript, [this.#base], all)) as unknown as Row
  }
}

/** What `enter` is asked with. */
export function bookValues(key: ServeKey, { id, kind, tokens, microUsd }: Asked): RedisArgument[] {
  const { name, requestsPerMinute = -1, tokensPerMinute = -1, concurrency = -1 } = key
  const [own, tenant] = pursesOf(key)
  const limits = [own.budget ?? -1, requestsPerMinute, tokensPerMinute, concurrency]
  return [name, id, kind, tokens, microUsd, ...limits, tenant?.name ?? '', tenant?.budget ?? -1]
}
