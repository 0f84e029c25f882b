/**
 * What undici tells of its connections: which socket carries a request, and what setting that socket up took.
 *
 *     client:beforeConnect ──▶ client:connected ──▶ client:sendHeaders      (same socket again: reused)
 *           connector             connector, socket      request, socket
 *
 * The channels belong to the process: Node's own fetch and other copies of undici publish on them too. A connection is ours
 * only when it carries a request of ours, and that is told by the abort function that undici hands to both sides.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ConnectionInfo } from '../../bindings/ports.js'

type Abort = (error?: Error) => void
interface BeforeConnect {
  readonly connector: object
}
interface Connected extends BeforeConnect {
  readonly socket: object
}
interface SendHeaders {
  readonly request: { readonly abort: Abort | null }
  readonly socket: object
}

/** A request that is about to be written: undici calls `onConnect` and publishes `sendHeaders` in one go. */
interface Outgoing {
  readonly abort: Abort
  sent(connection: Required<ConnectionInfo>): void
}

let outgoing: Outgoing | undefined
const begunAt = new WeakMap<object, number>()
const setUpMs = new WeakMap<object, number>()
const used = new WeakSet<object>()

function beforeConnect(message: unknown): void {
  begunAt.set((message as BeforeConnect).connector, performance.now())
}

function connected(message: unknown): void {
  const { connector, socket } = message as Connected
  const begun = begunAt.get(connector)
  if (begun !== undefined && !setUpMs.has(socket)) setUpMs.set(socket, performance.now() - begun)
}

/** A connection that was set up elsewhere in this time, ms. */
export function setUp(socket: object, ms: number): void {
  setUpMs.set(socket, ms)
}

function sendHeaders(message: unknown): void {
  const { request, socket } = message as SendHeaders
  if (outgoing === undefined || request.abort !== outgoing.abort) return
  const { sent } = outgoing
  outgoing = undefined
  const reused = used.has(socket)
  used.add(socket)
  sent({ reused, setupMs: reused ? 0 : (setUpMs.get(socket) ?? 0) })
}

const listeners = [
  ['undici:client:beforeConnect', beforeConnect],
  ['undici:client:connected', connected],
  ['undici:client:sendHeaders', sendHeaders],
] as const
let watchers = 0

/** Begins to listen; the result ends it. Must come before the connections that are to be known. */
export function watchConnections(): () => void {
  if (watchers++ === 0) for (const [name, listener] of listeners) subscribe(name, listener)
  let over = false
  return () => {
    if (over) return
    over = true
    if (--watchers === 0) for (const [name, listener] of listeners) unsubscribe(name, listener)
  }
}

/** Tells `sent` which connection carries the request that undici has just handed `abort` to. */
export function expectSent(abort: Abort, sent: Outgoing['sent']): void {
  outgoing = { abort, sent }
}
