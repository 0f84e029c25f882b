/** What the page asks of the server that handed it out; signed in by a cookie that no script reads. */
import type { RunEvent, RunReport } from '../../../bindings/events.js'

export interface ServerRun {
  readonly id: string
  readonly status: string
  readonly name: string | null
  /** Seconds since 1970. */
  readonly created_at: number
  readonly ended_at: number | null
  readonly cost_usd: number
  /** Name of the profile that played the providers. */
  readonly simulated: string | null
  /** Process that carries it out, `host:pid`, where several servers share their runs. */
  readonly owner?: string
  readonly steps?: readonly { readonly id: string; readonly state: string; readonly bytes?: number }[]
}

async function ask(path: string, method = 'GET'): Promise<unknown> {
  const reply = await fetch(`/v1/runs${path}`, { method })
  if (reply.ok) return reply.json()
  if (reply.status === 401) throw new Error('You are not signed in: open the link that the server has printed.')
  const { error } = (await reply.json().catch(() => ({}))) as { error?: { message?: string } }
  throw new Error(error?.message ?? `the server answered ${reply.status}`)
}

export const listRuns = async (): Promise<readonly ServerRun[]> =>
  ((await ask('?limit=100')) as { data: readonly ServerRun[] }).data

export const oneRun = async (id: string): Promise<ServerRun> => (await ask(`/${id}`)) as ServerRun

export const reportOf = async (id: string): Promise<RunReport> => (await ask(`/${id}/report`)) as RunReport

/** Its journal so far, from which any prompt of it is assembled again. */
export async function journalOf(id: string): Promise<string> {
  const reply = await fetch(`/v1/runs/${id}/journal`)
  if (!reply.ok) throw new Error('the server has no journal of the run')
  return reply.text()
}

export async function outputOf(id: string, step: string): Promise<string> {
  const reply = await fetch(outputAddress(id, step))
  return reply.ok ? reply.text() : ''
}

export const cancelRun = async (id: string): Promise<void> => void (await ask(`/${id}`, 'DELETE'))

export const outputAddress = (id: string, step: string): string => `/v1/runs/${id}/outputs/${encodeURIComponent(step)}`

const types: readonly RunEvent['type'][] = [
  ...([
    'steps',
    'warning',
    'call',
    'firstToken',
    'progress',
    'answer',
    'callEnd',
    'note',
    'hit',
    'miss',
    'restart',
  ] as const),
  ...(['resumed', 'retrieved', 'done', 'failed', 'skipped', 'cancelled', 'finish'] as const),
]

/** All events of a run from the first, those to come as well; the result stops it. The browser comes again by itself. */
export function watchRun(id: string, take: (event: RunEvent) => void, over: () => void): () => void {
  const source = new EventSource(`/v1/runs/${id}/events?after=0`)
  for (const type of types) {
    source.addEventListener(type, ({ data }: MessageEvent<string>) => {
      const event = JSON.parse(data) as RunEvent
      take(event)
      if (event.type !== 'finish') return
      source.close()
      over()
    })
  }
  return () => source.close()
}
