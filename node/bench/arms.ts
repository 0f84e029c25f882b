/** What the arms of a comparison differ in: `NAME=CONFIG`, where CONFIG is a file, or settings such as `mode=fast,strip=off`. */
import { readFileSync } from 'node:fs'
import { draftUses, type DraftUse } from '../../bindings/generated/wire.js'
import { AetherflowError } from '../../bindings/errors.js'
import { checkConfig, type Config } from '../../web/standard/config.js'
import type { PlanSettings } from '../../web/standard/run/setup.js'
import { errorCode } from '../error-code.js'

export interface Arm {
  readonly name: string
  readonly settings: ArmSettings
}

export interface ArmSettings extends Pick<PlanSettings, 'mode' | 'strip' | 'optimize' | 'concurrency' | 'promptCache'> {
  /** Ids of the only providers that may be called. */
  readonly providers?: readonly string[]
  readonly draft?: DraftUse
  /** Answers are looked up and kept in a cache that the plans of one repeat share, empty when it begins. */
  readonly cache?: 'exact' | 'semantic'
  /** Over the user's configuration, member by member. */
  readonly config?: Config
}

const usage = (detail: string): AetherflowError => new AetherflowError('host.usage', '--arm', detail)

/** Names that are also folders. */
const armName = /^[\w][\w .+-]{0,39}$/

/** Fails: host.usage, with what is wrong. */
export function armOfFlag(text: string): Arm {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (!armName.test(name))
    throw usage('expected NAME=CONFIG with a name of letters, digits, spaces, dots, + and -, at most 40 of them')
  const told = at < 0 ? '' : text.slice(at + 1)
  return { name, settings: /[/\\]|\.json$/.test(told) ? fileSettings(told) : wordSettings(told) }
}

function fileSettings(path: string): ArmSettings {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw usage(`${path} ${error instanceof SyntaxError ? 'is not valid JSON' : `cannot be read: ${errorCode(error)}`}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${path}: expected an object`)
  const members = Object.entries(value)
  // A configuration, as `tune` writes it, or settings with one among them.
  const settings = members.every(([key]) => Object.hasOwn(readers, key))
  return settings
    ? read(
        members.map(([key, member]) => [key, member]),
        path,
      )
    : { config: checkConfig(value, path) }
}

const wordSettings = (told: string): ArmSettings =>
  read(
    told === ''
      ? []
      : told.split(',').map((word) => {
          const at = word.indexOf('=')
          return [at < 0 ? word : word.slice(0, at), at < 0 ? '' : word.slice(at + 1)] as const
        }),
    '--arm',
  )

type Reader = (value: unknown) => unknown

const onOff: Reader = (value) =>
  value === true || value === 'on' ? true : value === false || value === 'off' ? false : undefined
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : typeof value === 'string' && value !== '' ? value.split('+') : []

const promptCaches: readonly unknown[] = ['auto', 'always', 'off']
const drafts: readonly unknown[] = draftUses

/** Each takes a word or a member of a file; undefined: it is wrong. */
const readers: Readonly<Record<string, readonly [what: string, read: Reader]>> = {
  mode: ['the name of a mode', (value) => (typeof value === 'string' && value !== '' ? value : undefined)],
  strip: ['on or off', onOff],
  optimize: ['on or off', onOff],
  promptCache: ['auto, always or off', (value) => (promptCaches.includes(value) ? value : undefined)],
  draft: [draftUses.join(', '), (value) => (drafts.includes(value) ? value : undefined)],
  providers: [
    'ids of providers with + between them',
    (value) => {
      const ids = list(value)
      return ids.length > 0 && ids.every((id) => typeof id === 'string' && id !== '') ? ids : undefined
    },
  ],
  concurrency: [
    'PROVIDER:N with + between them',
    (value) => {
      const pairs: (readonly [string, unknown])[] =
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? Object.entries(value)
          : list(value).map((pair) => {
              const [id = '', n] = String(pair).split(':')
              return [id, Number(n)] as const
            })
      const fine = pairs.every(([id, n]) => id !== '' && Number.isSafeInteger(n) && Number(n) > 0)
      return pairs.length > 0 && fine ? Object.fromEntries(pairs) : undefined
    },
  ],
  cache: [
    'exact, semantic or off',
    (value) => (value === 'exact' || value === 'semantic' ? value : value === 'off' ? null : undefined),
  ],
  config: ['an object', (value) => (typeof value === 'object' ? checkConfig(value, 'config of an arm') : undefined)],
}

function read(members: readonly (readonly [string, unknown])[], where: string): ArmSettings {
  const settings: Record<string, unknown> = {}
  for (const [name, told] of members) {
    const known = Object.hasOwn(readers, name) ? readers[name] : undefined
    if (known === undefined) throw usage(`${where}: no setting '${name}'; there are ${Object.keys(readers).join(', ')}`)
    const value = known[1](told)
    if (value === undefined) throw usage(`${where}: '${name}' must be ${known[0]}`)
    if (value !== null) settings[name] = value
  }
  return settings
}

/** Settings that were kept as JSON. Fails: host.usage, host.config. */
export const keptSettings = (value: object, where: string): ArmSettings => read(Object.entries(value), where)

/** For reports: `mode fast, strip off`; `as configured` for an arm that changes nothing. */
export function armWords({
  mode,
  strip,
  optimize,
  concurrency,
  promptCache,
  draft,
  providers,
  cache,
  config,
}: ArmSettings): string {
  const words = [
    ...(mode === undefined ? [] : [`mode ${mode}`]),
    ...(strip === undefined ? [] : [`stripping ${strip ? 'on' : 'off'}`]),
    ...(optimize ? ['an optimized order'] : []),
    ...(providers === undefined ? [] : [`only ${providers.join(', ')}`]),
    ...Object.entries(concurrency ?? {}).map(([id, n]) => `${n} at once at ${id}`),
    ...(promptCache === undefined ? [] : [`prompt caches ${promptCache}`]),
    ...(draft === undefined ? [] : [`drafts ${draft}`]),
    ...(cache === undefined ? [] : [`cache ${cache}`]),
    ...(config === undefined ? [] : [`its own configuration (${Object.keys(config).join(', ')})`]),
  ]
  return words.length === 0 ? 'as configured' : words.join('; ')
}
