/** What every route of the server gets. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { RunEvent } from '../../bindings/events.js'
import type { Embedder } from '../../bindings/cache/ports.js'
import type { Account } from './accounts.js'
import type { Service } from './service.js'

export interface Context {
  readonly service: Service
  readonly embedder: Embedder | undefined
  /** Aborted when the server ends and its grace is over. */
  readonly ending: AbortSignal
  /** Takes the events of one request. `headers`: of its sender, for its trace. */
  observer(headers: IncomingHttpHeaders): (event: RunEvent) => void
  /** Calls back as long as the response is open, whenever a comment should keep it so; the result ends that. */
  beat(write: () => void): () => void
}

export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly account: Account
  /** Names the request in `x-request-id`, and its run. */
  readonly id: string
}
