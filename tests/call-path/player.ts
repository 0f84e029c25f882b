/** Plays a case of the call path: a loopback server gives the replies, the real Node host runs the plan. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { runPlan, type Config, type RunEvent, type RunResult } from '../../node/index.js'

/** What the server does with a request. `frames`: raw pieces of a stream; `events`: their data; `json`, `text`: a whole body. */
export interface CaseReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly text?: string
  readonly events?: readonly unknown[]
  readonly frames?: readonly string[]
  readonly pauseMs?: number
  readonly delayMs?: number
  readonly gzip?: boolean
  /** The reply is never ended. */
  readonly hang?: boolean
  /** The connection is closed instead of an answer. */
  readonly destroy?: boolean
}

/** A situation, as `case.json` of a folder of cases holds it: `BASE` stands for the server's address. */
export interface CallPathCase {
  readonly report: string
  readonly expected: string
  readonly config: object
  readonly plan?: object
  /** By provider: the n-th request gets the n-th reply, the last one repeats. */
  readonly replies: Readonly<Record<string, readonly CaseReply[]>>
  readonly host?: string
  /** The server's address with PORT in it; default: 127.0.0.1. */
  readonly base?: string
}

export interface Asked {
  readonly provider: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
}

export interface Played {
  readonly result: RunResult
  readonly events: readonly RunEvent[]
  readonly asked: readonly Asked[]
  /** Requests by provider. */
  readonly requests: Readonly<Record<string, number>>
  /** Text by step, of those that are done. */
  readonly outputs: Readonly<Record<string, string>>
  /** Why steps failed, in the words that people see. */
  readonly failures: readonly { readonly failure: string; readonly message: string }[]
}

export const onePlan = {
  task_id: 't',
  description: 'A test',
  steps: [
    {
      id: 'a',
      type: 'analysis',
      description: 'Say hello to the reader. Answer in json where asked.',
      complexity: 0.3,
      estimated_tokens: 100,
      dependencies: [],
    },
  ],
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function answer(reply: CaseReply, out: ServerResponse): Promise<void> {
  if (reply.destroy) return void out.socket?.destroy()
  const streamed = reply.events !== undefined || reply.frames !== undefined
  const type = streamed ? 'text/event-stream' : 'application/json'
  const headers: Record<string, string> = { 'content-type': type, ...reply.headers }
  const frames =
    reply.frames ??
    (reply.events ?? []).map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
  const whole = reply.json !== undefined ? JSON.stringify(reply.json) : reply.text
  if (reply.delayMs !== undefined) await sleep(reply.delayMs)
  if (reply.gzip) {
    out.writeHead(reply.status ?? 200, { ...headers, 'content-encoding': 'gzip' })
    return void out.end(gzipSync(whole ?? frames.join('')))
  }
  out.writeHead(reply.status ?? 200, headers)
  if (whole !== undefined) return void out.end(whole)
  out.flushHeaders()
  for (const frame of frames) {
    if (out.destroyed) return
    out.write(frame)
    if (reply.pauseMs !== undefined) await sleep(reply.pauseMs)
  }
  if (!reply.hang) out.end()
}

async function read(incoming: IncomingMessage): Promise<Asked> {
  let text = ''
  for await (const part of incoming) text += String(part)
  const provider = incoming.url?.split('/')[1] ?? ''
  return { provider, headers: incoming.headers, body: JSON.parse(text) as Record<string, unknown> }
}

/** Plays the case to its end. */
export async function play(one: CallPathCase): Promise<Played> {
  const asked: Asked[] = []
  const requests: Record<string, number> = {}
  const server = createServer(async (incoming, out) => {
    out.on('error', () => undefined)
    const request = await read(incoming)
    asked.push(request)
    const count = (requests[request.provider] = (requests[request.provider] ?? 0) + 1)
    const list = one.replies[request.provider] ?? []
    const reply = list[Math.min(count, list.length) - 1] ?? { status: 404, json: { error: { message: 'none' } } }
    await answer(reply, out)
  })
  server.listen(0, one.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const base = (one.base ?? 'http://127.0.0.1:PORT').replace('PORT', String(port))
  const fill = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll('BASE', base)) as T
  const events: RunEvent[] = []
  try {
    const result = await runPlan(fill(one.plan ?? onePlan) as Record<string, unknown>, {
      config: fill(one.config) as Config,
      onEvent: (event) => void events.push(event),
    })
    const failures = events.flatMap((event) =>
      event.type === 'failed' ? [{ failure: event.failure, message: event.message }] : [],
    )
    return { result, events, asked, requests, outputs: Object.fromEntries(result.outputs), failures }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
