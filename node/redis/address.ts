/** Addresses of servers: `redis://user:password@host:port/number?prefix=team`, `rediss://` for TLS. */
import { AetherflowError } from '../../bindings/errors.js'

export interface RedisPlace {
  /** For a client: without what only AetherFlow reads. */
  readonly address: string
  /** Without user and password: for people and journals. */
  readonly name: string
  /** What the names of keys begin with. */
  readonly prefix: string
}

/** Whether a word is the address of a server, and not of a folder. */
export const isRedisAddress = (word: string): boolean => /^rediss?:\/\//.test(word)

/** What people are shown of a folder or a server. */
export const placeWords = (place: string): string => (isRedisAddress(place) ? redisPlace(place).name : place)

export const usualPrefix = 'aetherflow'

/** Fails: host.usage, without the address, which may hold a password. */
export function redisPlace(address: string): RedisPlace {
  const url = isRedisAddress(address) && URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || url.hostname === '')
    throw new AetherflowError(
      'host.usage',
      'redis',
      'an address is redis://[user:password@]host[:port][/number][?prefix=NAME], or rediss:// for TLS',
    )
  const prefix = url.searchParams.get('prefix') ?? usualPrefix
  url.searchParams.delete('prefix')
  keysUnder(prefix)
  const port = url.port === '' ? '6379' : url.port
  const name = `${url.protocol}//${url.hostname}:${port}${url.pathname.replace(/\/$/, '')}`
  return { address: url.href, name: prefix === usualPrefix ? name : `${name}?prefix=${prefix}`, prefix }
}

/** Names of keys. All of one prefix lie in one hash slot, so that scripts work on a cluster too. Fails: host.usage. */
export function keysUnder(prefix = usualPrefix): (name: string) => string {
  if (!/^[\w.:/@-]{1,100}$/.test(prefix))
    throw new AetherflowError('host.usage', 'prefix', 'letters, digits and . : / @ _ -, at most 100')
  return (name) => `{${prefix}}:${name}`
}
