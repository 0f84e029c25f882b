/** Small calls beside generation: lists, balances, caches. One JSON text each way, nothing streamed, never repeated. */
import { systemClock } from '../clock.js'
import { CallFailure, failureFromResponse } from '../failure/failure.js'
import { readText } from './body.js'
import { CallGuard } from './call-guard.js'
import { platform, usableKey, type ClientConfig } from './exchange.js'
import type { FailureTable } from './failures/index.js'
import { transportFailure } from './transport-failure.js'

export interface JsonCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly authorisation: (key: string) => Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  /** Texts that no error may quote. */
  readonly payloads?: readonly string[]
  readonly failures?: FailureTable | undefined
}

/** Longest reply that is read, bytes: a list of thousands of models has a tenth of it. */
const maxBytes = 16 * 1024 * 1024

/** The reply's JSON; `undefined` for an empty one. Rejects with a `CallFailure` and nothing else. `timeouts.totalMs` bounds it. */
export async function callJson(config: ClientConfig, call: JsonCall, signal: AbortSignal): Promise<unknown> {
  const guard = new CallGuard(config.clock ?? systemClock, config.timeouts ?? {}, signal)
  try {
    return await exchange(config, call, guard)
  } catch (error) {
    throw guard.failure ?? (error instanceof CallFailure ? error : transportFailure(error, 'before'))
  } finally {
    guard.release()
  }
}

async function exchange(config: ClientConfig, call: JsonCall, guard: CallGuard): Promise<unknown> {
  guard.arm('totalMs')
  const key = await guard.race(usableKey(config))
  const { method, url, body } = call
  const pending = (config.transport ?? platform(config)).send({
    url,
    method,
    headers: { ...(key === '' ? {} : call.authorisation(key)), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: guard,
  })
  const reply = await guard.race(pending, (late) => late.body.cancel())
  const { status } = reply
  if (status === 0 || (status >= 300 && status < 400)) {
    reply.body.cancel()
    const known = status > 0 ? { status } : {}
    throw new CallFailure('not_found', 'the address answers with a redirect, which is not followed', known)
  }
  const text = await readText(reply.body, maxBytes, guard)
  if (status < 200 || status >= 300) {
    const confidential = { secrets: [key], payloads: call.payloads ?? [] }
    const headers = { get: reply.header.bind(reply) }
    throw failureFromResponse({ status, headers }, text, confidential, (config.wallClock ?? Date.now)(), call.failures)
  }
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new CallFailure('malformed', 'the reply is not JSON', { status })
  }
}
