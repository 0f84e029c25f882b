/**
 * How requests say who they are: a bearer token, or the cookie that the page gets for a link that works once. The cookie says whose it is
 * and until when, sealed with the key's token: it holds at every server that has the same key, and no longer than this.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../bindings/ports.js'
import type { Account, Accounts } from './accounts.js'

const cookieName = 'aetherflow_session'
/** How long a link waits for its use, and how long a page stays signed in, ms. */
const linkMs = 10 * 60_000
const sessionMs = 12 * 60 * 60_000

interface Ticket {
  readonly account: Account
  readonly until: number
}

export class SignIn {
  readonly #accounts: Accounts
  readonly #clock: Clock
  readonly #open: Account | undefined
  readonly #links = new Map<string, Ticket>()
  readonly #wallClock: () => number

  /** `open`: the account of callers without a token; undefined: such requests are refused. */
  constructor(accounts: Accounts, clock: Clock, open: Account | undefined, wallClock: () => number = () => Date.now()) {
    this.#accounts = accounts
    this.#clock = clock
    this.#open = open
    this.#wallClock = wallClock
  }

  /** The path of a link that signs a page in, once, within ten minutes. */
  link(account: Account): string {
    const code = randomBytes(24).toString('base64url')
    this.#links.set(code, { account, until: this.#clock.now() + linkMs })
    return `/sign-in?code=${code}`
  }

  /** The Set-Cookie of a link's session; undefined: no link has this code, or it was used. */
  use(code: string): string | undefined {
    const ticket = this.#links.get(code)
    this.#links.delete(code)
    if (ticket === undefined || ticket.until < this.#clock.now()) return undefined
    const session = sessionOf(ticket.account, this.#wallClock() + sessionMs)
    return `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${sessionMs / 1000}`
  }

  /** Undefined: nobody that is known. A wrong token is not made good by a cookie. */
  accountOf({ headers }: IncomingMessage): Account | undefined {
    const { authorization, cookie } = headers
    if (authorization !== undefined) {
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
      // Clients of a server without keys send whatever they must.
      return (token === undefined ? undefined : this.#accounts.of(token)) ?? this.#open
    }
    const session = cookie?.split(/; */).find((part) => part.startsWith(`${cookieName}=`))
    return this.#sealed(session?.slice(cookieName.length + 1) ?? '') ?? this.#open
  }

  /** Undefined: it is malformed, has expired, or was sealed with another token. */
  #sealed(session: string): Account | undefined {
    const [name = '', until = ''] = session.split('.')
    const account = this.#accounts.named(Buffer.from(name, 'base64url').toString())
    if (account === undefined || !(Number(until) >= this.#wallClock())) return undefined
    const [given, right] = [session, sessionOf(account, Number(until))].map((text) => Buffer.from(text))
    if (given === undefined || right === undefined || given.length !== right.length) return undefined
    return timingSafeEqual(given, right) ? account : undefined
  }
}

function sessionOf({ key: { name, token } }: Account, until: number): string {
  const words = `${Buffer.from(name).toString('base64url')}.${until}`
  return `${words}.${createHmac('sha256', token).update(`aetherflow session ${words}`).digest('base64url')}`
}
