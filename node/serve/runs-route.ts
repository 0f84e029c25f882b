/** `/v1/runs`: plans as runs behind handles, with their events as a stream that goes on where a reader left it. */
import type { IncomingHttpHeaders } from 'node:http'
import { costAssumed } from './answering.js'
import { count, isObject, within, type Body } from './chat-body.js'
import type { Call, Context } from './context.js'
import { EventStream } from './event-stream.js'
import { badRequest, HttpError } from './http-error.js'
import { readJson, sendJson } from './http.js'
import type { RunRequest, ServedRun, ServedRuns } from './served-runs.js'
import type { Route } from './server.js'

/** A server of runs that is away is no failure of this one: a repeated request is answered. */
export const runRoutes = (runs: ServedRuns): readonly Route[] =>
  routesOf(runs).map((route) => ({
    ...route,
    answer: async (call, context, ...groups) => {
      try {
        await route.answer(call, context, ...groups)
      } catch (error) {
        if (runs.isAway?.(error) !== true) throw error
        throw new HttpError(503, 'runs_unavailable', 'the server of the runs does not answer', { retryAfterMs: 1000 })
      }
    },
  }))

function routesOf(runs: ServedRuns): readonly Route[] {
  const found = (call: Call, id = ''): Promise<ServedRun> => runs.find(id, tenantOf(call))
  return [
    { method: 'POST', path: /^\/v1\/runs$/, answer: (call) => start(call, runs) },
    { method: 'GET', path: /^\/v1\/runs$/, answer: (call) => list(call, runs) },
    {
      method: 'GET',
      path: /^\/v1\/runs\/([^/]+)$/,
      answer: async (call, _context, id) => {
        const run = await found(call, id)
        sendJson(call.response, 200, { ...aboutRun(run), steps: (await run.state()).steps })
      },
    },
    {
      method: 'DELETE',
      path: /^\/v1\/runs\/([^/]+)$/,
      answer: async (call, _context, id) => {
        const run = await found(call, id)
        await runs.cancel(run)
        sendJson(call.response, 202, aboutRun(run))
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/runs\/([^/]+)\/outputs\/(.+)$/,
      answer: async (call, _context, id, step = '') => output(call, await found(call, id), step, runs),
    },
    {
      method: 'GET',
      path: /^\/v1\/runs\/([^/]+)\/report$/,
      answer: async (call, _context, id) => report(call, await found(call, id), runs),
    },
    {
      method: 'GET',
      path: /^\/v1\/runs\/([^/]+)\/journal$/,
      answer: async (call, _context, id) => journal(call, await runs.journal(await found(call, id))),
    },
    {
      method: 'GET',
      path: /^\/v1\/runs\/([^/]+)\/events$/,
      answer: async (call, context, id) => events(call, context, await found(call, id)),
    },
  ]
}

export const tenantOf = ({ account }: Call): string => account.key.tenant ?? account.key.name

async function start(call: Call, runs: ServedRuns): Promise<void> {
  const body = await readJson(call.request)
  const { plan, name, mode } = body
  if (!isObject(plan) && typeof plan !== 'string') throw badRequest('a plan, as an object or as text', 'plan')
  if (name !== undefined && (typeof name !== 'string' || name.length > 200)) throw badRequest('a short text', 'name')
  if (mode !== undefined && typeof mode !== 'string') throw badRequest('the name of a mode', 'mode')
  const again = call.request.headers['idempotency-key']
  if (typeof again === 'string' && again.length > 255) throw badRequest('at most 255 characters', 'idempotency-key')
  const asked = {
    key: call.account.key.name,
    tenant: tenantOf(call),
    ...(name === undefined ? {} : { name }),
    ...(mode === undefined ? {} : { mode }),
    ...boundsOf(body),
    ...traceOf(call.request.headers),
  }
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan)
  const run = await runs.start(text, asked, call.account, again as string | undefined)
  sendJson(call.response, 202, aboutRun(run), {
    location: `/v1/runs/${run.request.id}`,
    'x-request-id': call.id,
    'x-aetherflow-run-id': run.request.id,
  })
}

function traceOf({ traceparent, tracestate }: IncomingHttpHeaders): Pick<RunRequest, 'trace'> {
  if (typeof traceparent !== 'string') return {}
  return { trace: { traceparent, ...(typeof tracestate === 'string' && { tracestate }) } }
}

function boundsOf(body: Body): Pick<RunRequest, 'budgetUsd' | 'deadlineMs' | 'seed'> {
  const budgetUsd = within(body, 'budget_usd', 0, 1e6)
  const deadlineMs = count(body, 'deadline_ms')
  const seed = within(body, 'seed', 0, Number.MAX_SAFE_INTEGER)
  return {
    ...(budgetUsd === undefined ? {} : { budgetUsd }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(seed === undefined ? {} : { seed: Math.floor(seed) }),
  }
}

/** Most runs of a list. */
const mostListed = 100

async function list(call: Call, runs: ServedRuns): Promise<void> {
  const asked = Math.floor(Number(call.url.searchParams.get('limit') ?? 20)) || 20
  const limit = Math.min(mostListed, Math.max(1, asked))
  const found = await runs.list(tenantOf(call), limit, call.url.searchParams.get('after'))
  sendJson(call.response, 200, {
    object: 'list',
    data: found.runs.map((run) => aboutRun(run)),
    has_more: found.more,
  })
}

export function aboutRun({ request, end, live, cancelled, owner }: ServedRun): object {
  return {
    id: request.id,
    object: 'run',
    status: end?.outcome ?? live.outcome ?? (cancelled ? 'cancelling' : 'running'),
    name: request.name ?? null,
    mode: request.mode ?? null,
    created_at: request.createdAt / 1000,
    ended_at: end === undefined ? null : end.endedAt / 1000,
    simulated: request.simulated ?? null,
    cost_usd: (end?.costMicroUsd ?? live.costMicroUsd) / 1e6,
    ...costAssumed(end ?? live),
    budget_usd: request.budgetUsd ?? null,
    error: end?.error ?? null,
    ...(owner === undefined ? {} : { owner }),
  }
}

async function output(call: Call, run: ServedRun, step: string, runs: ServedRuns): Promise<void> {
  const text = await runs.output(run, step)
  if (text === undefined) throw new HttpError(404, 'no_output', 'that step has no output, or not yet')
  const bytes = Buffer.from(text, 'utf8')
  call.response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    // Whatever a model wrote, it is no page.
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  })
  call.response.end(bytes)
}

async function report(call: Call, run: ServedRun, runs: ServedRuns): Promise<void> {
  const found = await runs.report(run)
  if (found === undefined) throw new HttpError(404, 'no_report', 'the run has come to no report, or not yet')
  sendJson(call.response, 200, found)
}

/** What the run is made of, as far as it has come: for anyone who wants to replay it. */
function journal({ response }: Call, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) throw new HttpError(404, 'no_journal', 'the run has no journal yet')
  response.writeHead(200, {
    'content-type': 'application/x-ndjson',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  })
  response.end(bytes)
}

/** How long a reader waits before it comes again, ms. */
const comeAgainMs = 2000

async function events({ request, response, url, id }: Call, context: Context, run: ServedRun): Promise<void> {
  // A page cannot send the header by itself, but wants the beginning too.
  const said = request.headers['last-event-id'] ?? url.searchParams.get('after')
  const last = typeof said === 'string' && /^\d{1,15}$/.test(said) ? Number(said) : undefined
  const reading = new Reading(response, context, id)
  // Watched before it is read, so that nothing falls between.
  const stop = await run.watch(reading)
  response.once('close', stop)
  if (response.destroyed) stop()
  const kept = await run.events()
  // Readers of the kind that a page has come again until they hear this.
  if (run.end !== undefined && last === kept.length) {
    stop()
    response.writeHead(204).end()
    return
  }
  reading.begin(last, kept.length, { ...aboutRun(run), steps: (await run.state()).steps })
  const from = last === undefined || last > kept.length ? kept.length : last
  for (let at = from; at < kept.length; at += 1) reading.take({ id: at + 1, event: kept[at]! })
  reading.live()
  if (run.end !== undefined) reading.over()
}

/** One reader of the events of a run. */
class Reading {
  readonly #stream: EventStream
  #last = 0
  #waiting: { readonly id: number; readonly event: { readonly type: string } }[] | undefined = []
  #begun = false
  #over = false

  constructor(response: Call['response'], context: Context, id: string) {
    const headers = { 'x-request-id': id }
    this.#stream = new EventStream(response, { headers, beat: (write) => context.beat(write) })
  }

  /** A reader who knows more than there is has another run in mind: it begins again. */
  begin(last: number | undefined, count: number, snapshot: object): void {
    this.#begun = true
    this.#stream.raw(`retry: ${comeAgainMs}\n\n`)
    this.#last = last === undefined || last > count ? count : last
    if (last !== undefined && last > count) this.#stream.send({}, { event: 'reset' })
    if (last === undefined || last > count) this.#stream.send(snapshot, { event: 'snapshot', id: count })
  }

  take(kept: { readonly id: number; readonly event: { readonly type: string } }): void {
    if (!this.#begun) return void this.#waiting?.push(kept)
    if (kept.id <= this.#last) return
    this.#last = kept.id
    this.#stream.send(kept.event, { event: kept.event.type, id: kept.id })
  }

  /** What came while the past was read. */
  live(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const kept of waiting) this.take(kept)
    if (this.#over) this.#stream.end()
  }

  passing(event: { readonly type: string }): void {
    if (this.#begun && this.#waiting === undefined && !this.#stream.slow)
      this.#stream.send(event, { event: event.type })
  }

  over(): void {
    this.#over = true
    if (this.#waiting === undefined) this.#stream.end()
  }
}
