/**
 * What a caller may say beside the format: headers `x-aetherflow-…`, or the same in an object `aetherflow` of the body. They only
 * tighten what the server allows; no address, key or threshold comes from a request.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { PolicyConfig } from '../../web/standard/config.js'
import type { ChatCacheUse } from '../../web/standard/chat/request.js'
import { isObject, isWord, type Body } from './chat-body.js'
import { badRequest } from './http-error.js'

export interface Extensions {
  readonly cache: ChatCacheUse
  readonly budgetUsd: number | undefined
  readonly deadlineMs: number | undefined
  readonly type: string | undefined
  readonly complexity: number | undefined
}

const names = ['cache', 'budget_usd', 'deadline_ms', 'type', 'complexity'] as const
type Name = (typeof names)[number]

/** Throws a HttpError of status 400 with the name. */
export function extensionsOf(headers: IncomingHttpHeaders, body: Body): Extensions {
  const inner = body['aetherflow'] ?? {}
  if (!isObject(inner)) throw badRequest('an object', 'aetherflow')
  for (const name of Object.keys(inner))
    if (!(names as readonly string[]).includes(name))
      throw badRequest(`unknown; there are ${names.join(', ')}`, isWord(name) ? `aetherflow.${name}` : 'aetherflow')
  const said = (name: Name): unknown => inner[name] ?? headers[`x-aetherflow-${name.replaceAll('_', '-')}`]
  const type = said('type')
  if (type !== undefined && (typeof type !== 'string' || !/^[\w-]{1,64}$/.test(type)))
    throw badRequest('a type of step', 'aetherflow.type')
  return {
    cache: cacheOf(said('cache')),
    budgetUsd: numberOf(said('budget_usd'), 'aetherflow.budget_usd', Infinity),
    deadlineMs: numberOf(said('deadline_ms'), 'aetherflow.deadline_ms', Infinity),
    type,
    complexity: numberOf(said('complexity'), 'aetherflow.complexity', 1),
  }
}

/** The words of HTTP caches: nothing is kept of `no-store`; `no-cache` asks again and keeps that. */
function cacheOf(value: unknown): ChatCacheUse {
  if (value === undefined) return 'on'
  if (value === 'no-store') return 'off'
  if (value === 'no-cache' || value === 'max-age=0') return 'refresh'
  throw badRequest('no-store, no-cache or max-age=0', 'aetherflow.cache')
}

function numberOf(value: unknown, param: string, most: number): number | undefined {
  if (value === undefined) return undefined
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN
  if (number >= 0 && number <= most && Number.isFinite(number)) return number
  throw badRequest(most === 1 ? 'a number from 0 to 1' : 'a number from 0', param)
}

/** The longest that a request may wait for a provider that asks for patience, ms: its caller waits with an open connection. */
const patienceMs = 60_000

/**
 * The policy of one request: the configuration's, tightened. `microUsd`: what the key's budget leaves for it. A deadline of the
 * request counts when it is the earlier one.
 */
export function policyOf(
  config: PolicyConfig,
  { budgetUsd, deadlineMs }: Pick<Extensions, 'budgetUsd' | 'deadlineMs'>,
  microUsd: number | undefined,
): PolicyConfig {
  const usd = least(config.budget?.run?.usd, budgetUsd, microUsd === undefined ? undefined : microUsd / 1e6)
  const configured = config.retry?.deadlineMs
  const deadline = least(configured === 0 ? undefined : configured, deadlineMs === 0 ? 1 : deadlineMs)
  return {
    retry: {
      patienceMs: Math.min(config.retry?.patienceMs ?? patienceMs, patienceMs),
      ...(deadline === undefined ? {} : { deadlineMs: Math.ceil(deadline) }),
    },
    ...(usd === undefined ? {} : { budget: { run: { usd } } }),
  }
}

function least(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
