/** `aetherflow cache stats|list|clear`: what a cache holds and has saved. */
import type { CacheEntryHead } from '../../../bindings/cache/ports.js'
import type { CacheStatistics } from '../../../web/standard/cache/statistics.js'
import { formatCount, formatShare, formatDuration, formatUsd, oneLine, plural } from '../../../web/standard/format.js'
import { AetherflowError } from '../../index.js'
import type { SemanticCache } from '../../cache/semantic-cache.js'
import type { CacheFlags } from '../cache-flags.js'
import { cacheConfig, openToLook } from '../cache-place.js'
import { placeWords } from '../../redis/address.js'
import { paint, type Paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'
import { truncate } from '../terminal-text.js'

export interface LookFlags extends CacheFlags {
  readonly json?: true
}
export interface ListFlags extends LookFlags {
  readonly limit?: number
}
export interface ClearFlags extends LookFlags {
  readonly provider?: string
  readonly model?: string
  /** ms. */
  readonly olderThan?: number
  readonly yes?: true
}

/** Columns of a prompt that `--json` does not cut. */
const usualLimit = 20
const promptStart = 200

/** Runs `work` on the cache that the flags mean, and closes it. */
async function withCache<T>(
  flags: CacheFlags,
  host: Host,
  work: (cache: SemanticCache, folder: string) => Promise<T>,
  absent: (folder: string) => T,
): Promise<T> {
  const config = await cacheConfig(flags, host)
  const cache = await openToLook(config, host)
  if (cache === undefined) return absent(config.dir)
  try {
    return await work(cache, placeWords(config.dir))
  } finally {
    await cache.close()
  }
}

const writeJson = (host: Host, value: unknown): void =>
  void host.stdout.write(`${asciiControls(JSON.stringify(value))}\n`)

export const emptyCache = (folder: string, host: Host): ExitCode => {
  host.stdout.write(`nothing is kept in ${oneLine(folder)}\n`)
  return exitCodes.ok
}

/** Rough enough for a line: `12 s`, `3 h`, `5 d`. */
export function formatAge(ms: number): string {
  const whole = Math.max(0, ms)
  if (whole < 3600_000) return formatDuration(whole)
  return whole < 172_800_000 ? `${Math.round(whole / 3600_000)} h` : `${Math.round(whole / 86_400_000)} d`
}

const formatBytes = (bytes: number): string =>
  bytes < 1024
    ? `${bytes} B`
    : bytes < 2 ** 20
      ? `${(bytes / 1024).toFixed(1)} KB`
      : `${(bytes / 2 ** 20).toFixed(1)} MB`

export async function cacheStats(flags: LookFlags, host: Host): Promise<ExitCode> {
  return withCache(
    flags,
    host,
    async (cache, folder) => {
      const heads = await cache.list()
      const times = heads.map(({ createdAt }) => createdAt)
      const now = Date.now()
      const spread =
        times.length === 0 ? null : { oldestMs: now - lowest(times), newestMs: now + lowest(times.map((at) => -at)) }
      const found = { folder, ...cache.stats(), storeBytes: (await cache.size()).store, age: spread }
      if (flags.json) writeJson(host, found)
      else host.stdout.write(`${statLines(found, paint(host.stdout, host.env)).join('\n')}\n`)
      return exitCodes.ok
    },
    (folder) => {
      if (!flags.json) return emptyCache(folder, host)
      writeJson(host, { folder, entries: 0 })
      return exitCodes.ok
    },
  )
}

const lowest = (numbers: readonly number[]): number =>
  numbers.reduce((least, number) => Math.min(least, number), Infinity)

/** Where a judge was never asked it has no line. */
function judgeRow({ asked, yes, microUsd, ms, saved }: CacheStatistics['judge']): (readonly [string, string])[] {
  if (asked === 0) return []
  const cost = `${formatUsd(microUsd)}, ${formatDuration(ms)}`
  return [
    ['judge', `${plural(asked, 'question')}, ${formatCount(yes)} yes, ${cost}; saved ${formatUsd(saved.microUsd)}`],
  ]
}

function statLines(
  found: ReturnType<SemanticCache['stats']> & {
    folder: string
    storeBytes: number
    age: { oldestMs: number; newestMs: number } | null
  },
  colours: Paint,
): string[] {
  const { folder, entries, bytes, storeBytes, age, lookups, hits, misses, hitRate, saved, embeddings, feedback } = found
  const ages = age === null ? '' : `, ${formatAge(age.newestMs)} to ${formatAge(age.oldestMs)} old`
  const rows: readonly (readonly [string, string])[] = [
    ['entries', `${formatCount(entries)} (${formatBytes(bytes)} of text, ${formatBytes(storeBytes)} on disk)${ages}`],
    ['look-ups', lookups === 0 ? 'none yet' : `${formatCount(lookups)}, ${formatShare(hitRate)} hits`],
    [
      'hits',
      `${formatCount(hits.exact)} exact, ${formatCount(hits.semantic)} by meaning; ${formatCount(misses)} misses`,
    ],
    [
      'saved',
      `${formatCount(saved.tokens)} tokens, ${formatUsd(saved.microUsd)}, ${formatDuration(saved.ms)} of waiting for models`,
    ],
    [
      'answers',
      `${formatCount(found.stored)} stored, ${formatCount(found.refused)} refused, ${formatCount(found.evicted)} evicted, ${formatCount(found.expired)} expired`,
    ],
    ['embeddings', `${formatCount(embeddings.computed)} computed, ${formatCount(embeddings.reused)} found kept`],
    ['feedback', `${formatCount(feedback.right)} right, ${formatCount(feedback.wrong)} wrong`],
  ]
  return [
    `${colours.bold('cache')} ${oneLine(folder)}`,
    ...[...rows, ...judgeRow(found.judge)].map(([name, words]) => `  ${name.padEnd(10)}  ${words}`),
  ]
}

export async function cacheList(flags: ListFlags, host: Host): Promise<ExitCode> {
  return withCache(
    flags,
    host,
    async (cache, folder) => {
      const all = [...(await cache.list())].sort((a, b) => b.createdAt - a.createdAt)
      const shown = all.slice(0, flags.limit ?? usualLimit)
      const entries: (CacheEntryHead & { prompt: string })[] = []
      for (const head of shown) {
        const entry = await cache.read(head.key)
        if (entry !== undefined) entries.push({ ...head, prompt: entry.prompt })
      }
      if (flags.json) writeJson(host, { folder, entries: entries.map(listed), of: all.length })
      else host.stdout.write(`${listLines(entries, all.length, host).join('\n')}\n`)
      return exitCodes.ok
    },
    (folder) => {
      if (!flags.json) return emptyCache(folder, host)
      writeJson(host, { folder, entries: [], of: 0 })
      return exitCodes.ok
    },
  )
}

const listed = ({
  key,
  label,
  createdAt,
  expiresAt,
  bytes,
  space,
  worth,
  prompt,
}: CacheEntryHead & { prompt: string }) => ({
  ...{ key, label, createdAt, expiresAt, bytes, byMeaning: space !== '', worth },
  prompt: start(prompt),
})

const start = (text: string): string => [...text].slice(0, promptStart).join('')

function listLines(entries: readonly (CacheEntryHead & { prompt: string })[], of: number, host: Host): string[] {
  const now = Date.now()
  const rows = entries.map(({ key, label, createdAt, expiresAt, bytes, prompt }) => [
    key.slice(0, 8),
    formatAge(now - createdAt),
    `in ${formatAge(expiresAt - now)}`,
    formatBytes(bytes),
    oneLine(label),
    oneLine(start(prompt)),
  ])
  const columns = host.stdout.columns ?? 120
  const table = alignedTable(['key', 'age', 'expires', 'size', 'of', 'task'], rows, columns)
  const more = of > entries.length ? [truncate(`… ${formatCount(of - entries.length)} more: --limit`, columns)] : []
  return entries.length === 0 ? ['the cache is empty'] : [...table, ...more]
}

/** By the label, which is for people: with a name that has its separators in it, rather too much than too little. */
export function meant(
  { label, createdAt = 0 }: { readonly label: string; readonly createdAt?: number },
  { tenant, provider, model, olderThan }: ClearFlags,
  now = 0,
): boolean {
  const target = label.split(' · ').at(-1) ?? ''
  return (
    (tenant === undefined || label === tenant || label.startsWith(`${tenant} · `)) &&
    (provider === undefined || target === provider || target.startsWith(`${provider}/`)) &&
    (model === undefined || target === model || target.endsWith(`/${model}`)) &&
    (olderThan === undefined || now - createdAt >= olderThan)
  )
}

export async function cacheClear(flags: ClearFlags, host: Host): Promise<ExitCode> {
  return withCache(
    flags,
    host,
    async (cache, folder) => {
      const now = Date.now()
      const keys = (await cache.list()).filter((head) => meant(head, flags, now)).map(({ key }) => key)
      if (keys.length > 0 && !(await agreed(keys.length, folder, flags, host))) return exitCodes.interrupted
      await cache.remove(keys)
      if (flags.json) writeJson(host, { folder, removed: keys.length })
      else host.stdout.write(`${plural(keys.length, 'answer')} removed\n`)
      return exitCodes.ok
    },
    (folder) => {
      if (!flags.json) return emptyCache(folder, host)
      writeJson(host, { folder, removed: 0 })
      return exitCodes.ok
    },
  )
}

/** Asks on a terminal; without one, `--yes` must have been said. */
async function agreed(count: number, folder: string, { yes }: ClearFlags, host: Host): Promise<boolean> {
  if (yes) return true
  if (host.stdout.isTTY !== true)
    throw new AetherflowError('host.usage', '--yes', `would remove ${plural(count, 'answer')}: say --yes`)
  host.stdout.write(`remove ${plural(count, 'answer')} from ${oneLine(folder)}? [y/N] `)
  let said = ''
  for await (const piece of host.stdin) {
    said += new TextDecoder().decode(piece)
    if (said.includes('\n')) break
  }
  return /^y(es)?$/i.test(said.trim())
}
