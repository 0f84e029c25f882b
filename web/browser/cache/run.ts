/** The cache of a run: one that is open, or one that runs with the same name and model share. */
import type { AnswerCache } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent } from '../../../bindings/events.js'
import { isOpen, type CacheChoice, type PageCacheOptions } from './options.js'
import { SemanticCache } from './semantic-cache.js'

/** How long a cache stays open after its last run, ms: the next one finds its model loaded. */
const keptMs = 10_000

interface Shared {
  readonly cache: Promise<SemanticCache>
  readonly problems: string[]
  readonly listeners: Set<(problem: string) => void>
  held: number
  idle: ReturnType<typeof setTimeout> | undefined
}
const shared = new Map<string, Shared>()

export interface RunCache {
  readonly cache: AnswerCache
  release(): void
}

/** Never fails: a cache that cannot be opened fails each time that it is asked, and the run goes on without and says so. */
export async function cacheForRun(choice: CacheChoice, emit: (event: RunEvent) => void): Promise<RunCache> {
  if (isOpen(choice)) return { cache: choice, release: () => undefined }
  const tell = (detail: string): void => emit({ type: 'warning', at: 0, code: 'cache.store_failed', where: '', detail })
  const mine = hold(choice)
  for (const problem of mine.problems) tell(problem)
  mine.listeners.add(tell)
  const release = (): void => {
    mine.listeners.delete(tell)
    if (--mine.held === 0) mine.idle = setTimeout(() => void retire(mine), keptMs)
  }
  try {
    return { cache: await mine.cache, release }
  } catch (error) {
    release()
    return { cache: broken(error), release: () => undefined }
  }
}

/** Closes all that runs have opened, in use or not. */
export function closeRunCaches(): void {
  const all = [...shared.values()]
  shared.clear()
  for (const mine of all) void close(mine)
}

function hold(options: PageCacheOptions): Shared {
  const { name, model, runtime, maxWrongShare, floor, mode, limits } = options
  // Functions are compared by what they are: one created for each call opens a cache of its own.
  const key = JSON.stringify([name, model, identity(runtime), maxWrongShare, floor, mode, limits])
  const known = shared.get(key)
  if (known !== undefined) {
    clearTimeout(known.idle)
    known.held += 1
    return known
  }
  const problems: string[] = []
  const listeners = new Set<(problem: string) => void>()
  const onProblem = (problem: string): void => {
    options.onProblem?.(problem)
    problems.push(problem)
    for (const listener of listeners) listener(problem)
  }
  const made: Shared = {
    cache: SemanticCache.open({ ...options, onProblem }),
    problems,
    listeners,
    held: 1,
    idle: undefined,
  }
  shared.set(key, made)
  // Tried again by the next run.
  made.cache.catch(() => shared.delete(key))
  return made
}

const functions = new WeakMap<object, number>()
let functionCount = 0
function identity(value: unknown): unknown {
  if (typeof value !== 'function') return value
  const known = functions.get(value) ?? ++functionCount
  functions.set(value, known)
  return known
}

async function retire(mine: Shared): Promise<void> {
  if (mine.held > 0) return
  for (const [key, one] of shared) if (one === mine) shared.delete(key)
  await close(mine)
}

async function close(mine: Shared): Promise<void> {
  clearTimeout(mine.idle)
  await mine.cache.then((cache) => cache.close()).catch(() => undefined)
}

function broken(error: unknown): AnswerCache {
  const fault = error instanceof AetherflowError ? error : new AetherflowError('cache.store_failed', '', String(error))
  const fail = (): Promise<never> => Promise.reject(fault)
  return { get: fail, put: fail }
}
