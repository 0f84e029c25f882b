/** How requests say who they are: a bearer token, or the cookie that the page gets for a link that works once. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../bindings/ports.js'
import type { Account, Accounts } from './accounts.js'

const cookieName = 'aetherflow_session'
/** How long a link waits for its use, and how long a page stays signed in, ms. */
const linkMs = 10 * 60_000
const sessionMs = 12 * 60 * 60_000
/** Most sessions; the oldest goes first. */
const mostSessions = 100

interface Ticket {
  readonly account: Account
  readonly until: number
}

export class SignIn {
  readonly #accounts: Accounts
  readonly #clock: Clock
  readonly #open: Account | undefined
  readonly #links = new Map<string, Ticket>()
  readonly #sessions = new Map<string, Ticket>()

  /** `open`: the account of whoever says nothing; undefined: such requests are refused. */
  constructor(accounts: Accounts, clock: Clock, open: Account | undefined) {
    this.#accounts = accounts
    this.#clock = clock
    this.#open = open
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
    const session = randomBytes(24).toString('base64url')
    this.#sessions.set(session, { account: ticket.account, until: this.#clock.now() + sessionMs })
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= mostSessions) break
      this.#sessions.delete(oldest)
    }
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
    const ticket = session === undefined ? undefined : this.#sessions.get(session.slice(cookieName.length + 1))
    if (ticket !== undefined && ticket.until >= this.#clock.now()) return ticket.account
    return this.#open
  }
}
