/** The simulated providers on a loopback socket, each with its own way of letting pages in, and what came to them. */
import { createSimulator, simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { startSimulatorServer, type SimulatorServer } from '../../node/simulator-server.js'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ProviderServer {
  readonly url: string
  readonly asked: Asked[]
  /** The configuration that calls its providers. */
  readonly config: { readonly providers: Readonly<Record<string, { readonly baseUrl: string }>> }
  close(): Promise<void>
}

export const goodKey = 'good-key-0123456789'

/** Of `instant`, with one key that is taken; `over` by provider. */
export function strictProfile(over: Readonly<Record<string, object>> = {}): SimulatorProfile {
  const { providers } = simulatorProfiles.instant
  const keyed = Object.entries(providers).map(([id, profile]) => [id, { ...profile, keys: [goodKey], ...over[id] }])
  return { ...simulatorProfiles.instant, providers: Object.fromEntries(keyed) as SimulatorProfile['providers'] }
}

export interface ServerOptions {
  readonly timed?: boolean
  /** A request is answered when this has resolved. */
  readonly hold?: (body: string) => Promise<void> | undefined
}

/**
 * As the real ones: reply headers are hidden from pages, and so are times unless `timed`. Below `/closed/` nobody lets a page
 * in.
 */
export async function startProviders(
  profile: SimulatorProfile,
  { timed = false, hold }: ServerOptions = {},
): Promise<ProviderServer> {
  const simulator = createSimulator(profile)
  const asked: Asked[] = []
  const server: SimulatorServer = await startSimulatorServer({
    async handle(request) {
      const { method, url } = request
      const body = await request.clone().text()
      asked.push({ method, url, headers: Object.fromEntries(request.headers), body })
      await hold?.(body)
      if (new URL(url).pathname.startsWith('/closed/')) return new Response('{"data":[]}', { status: 200 })
      const reply = await simulator.handle(request)
      const headers = new Headers(reply.headers)
      headers.delete('access-control-expose-headers')
      if (timed) headers.set('timing-allow-origin', '*')
      return new Response(reply.body, { status: reply.status, headers })
    },
  })
  const ids = Object.keys(profile.providers)
  const at = (id: string): string => `${server.url}/${id}/${id === 'gemini' ? 'v1beta' : 'v1'}`
  return {
    url: server.url,
    asked,
    config: { providers: Object.fromEntries(ids.map((id) => [id, { baseUrl: at(id) }])) },
    close: () => server.close(),
  }
}
