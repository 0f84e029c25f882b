/** What the environment says of connections: proxies, and where `localhost` is. */
import type { LookupAddress, LookupOptions } from 'node:dns'
import { lookup } from 'node:dns'
import { isLoopback } from '../../web/standard/presets.js'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for an origin, by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` in either case (lower wins); undefined: none. Loopback
 * addresses are never asked for at a proxy. `NO_PROXY` lists hosts, with or without a port, that stand for their subdomains
 * too; `*` is all of them.
 */
export function proxyFor(origin: string, env: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(origin)
  const read = (name: string) => env[name.toLowerCase()] ?? env[name]
  const proxy = protocol === 'https:' ? read('HTTPS_PROXY') || read('HTTP_PROXY') : read('HTTP_PROXY')
  if (!proxy || isLoopback(hostname)) return undefined
  const effective = port || (protocol === 'https:' ? '443' : '80')
  const spared = (read('NO_PROXY') ?? '')
    .split(/[,\s]+/)
    .some((entry) => matches(entry.toLowerCase(), hostname, effective))
  if (spared) return undefined
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
  return URL.canParse(address) ? address : undefined
}

function matches(entry: string, hostname: string, port: string): boolean {
  if (entry === '' || entry === '*') return entry === '*'
  const [, host = entry, wanted] = /^(.+):(\d+)$/.exec(entry) ?? []
  if (wanted !== undefined && wanted !== port) return false
  const name = host.replace(/^\*?\./, '').replace(/^\[|\]$/g, '')
  const own = hostname.replace(/^\[|\]$/g, '')
  return own === name || own.endsWith(`.${name}`)
}

/**
 * How long one address of a name is tried before the next has its turn, ms. Node's own 250 fail on slow networks and busy
 * machines; an address of this machine refuses at once, or is only slow.
 */
export const attemptMs = (hostname: string): number => (isLoopback(hostname) ? 5000 : 1000)

type LookedUp = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/** Names as the system resolves them, but `localhost` in both families: where only one is listed, a server may listen on the other. */
export function lookupBoth(hostname: string, options: LookupOptions, callback: LookedUp): void {
  if (!isLoopback(hostname) || options.all !== true) return lookup(hostname, options, callback as never)
  const wanted = options.family === 4 || options.family === 6 ? options.family : 0
  const both: LookupAddress[] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  // Never within the call: sockets are not ready for that.
  process.nextTick(callback, null, wanted === 0 ? both : both.filter(({ family }) => family === wanted))
}
