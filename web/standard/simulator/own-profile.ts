/** A profile of the user's own: a patch of the profile `default`, checked. */
import { AetherflowError } from '../../../bindings/errors.js'
import {
  injectableFailures,
  simulatedProviders,
  simulatorProfiles,
  type ProviderProfile,
  type SimulatorProfile,
} from './profiles.js'

type Json = Readonly<Record<string, unknown>>

const numbers: Readonly<Record<string, readonly [least: number, most: number]>> = {
  timeScale: [0.001, 1000],
  answerTokens: [1, 10_000_000],
  answerShare: [0, 1],
  auditIssueShare: [0, 1],
}
const providerNumbers: Readonly<Record<string, readonly [least: number, most: number]>> = {
  firstTokenMs: [0, 3_600_000],
  tokensPerSecond: [0.1, 1_000_000],
  promptTokensPerSecond: [1, 1e9],
  cachedTokensPerSecond: [1, 1e9],
  jitter: [0, 1],
  concurrency: [1, 100_000],
  requestsPerMinute: [1, 1e9],
  tokensPerMinute: [1, 1e12],
  requestsPerDay: [1, 1e12],
  errorShare: [0, 1],
  recall: [0, 1],
  patchShare: [0, 1],
  falseRejectShare: [0, 1],
}

/**
 * `value`: `{ name, timeScale, answerTokens, answerShare, auditIssueShare, known, providers: { groq: { firstTokenMs, … }, "*": { … } } }`; what
 * is absent is as in the profile `default`, but played in real time. Fails: host.usage with the member that is wrong.
 */
export function checkProfile(value: unknown, where: string): SimulatorProfile {
  const fail = (detail: string): never => {
    throw new AetherflowError('host.usage', where, detail)
  }
  const object = (json: unknown, what: string): Json =>
    typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Json)
      : fail(`${what} must be an object`)
  const range = (json: Json, ranges: typeof numbers, others: readonly string[], what: string): void => {
    for (const [key, given] of Object.entries(json)) {
      const known = ranges[key]
      if (known === undefined) {
        if (!others.includes(key))
          fail(`unknown member '${key}' of ${what}; there are ${[...Object.keys(ranges), ...others].join(', ')}`)
      } else if (typeof given !== 'number' || !(given >= known[0] && given <= known[1])) {
        fail(`'${key}' of ${what} must be a number from ${known[0]} to ${known[1]}`)
      }
    }
  }
  const profile = object(value, 'a profile')
  range(profile, numbers, ['name', 'providers', 'known'], 'the profile')
  knownAnswers(profile['known'], fail)
  const name = profile['name'] ?? 'own'
  if (typeof name !== 'string' || !/^[\w-]{1,40}$/.test(name)) fail("'name' must be 1 to 40 letters, digits, - or _")
  const given = object(profile['providers'] ?? {}, "'providers'")
  for (const [id, one] of Object.entries(given)) {
    if (id !== '*' && !(simulatedProviders as readonly string[]).includes(id))
      fail(`'${id}' is not simulated; there are ${simulatedProviders.join(', ')}, and * for all`)
    range(object(one, `'${id}'`), providerNumbers, ['failures', 'models'], `'${id}'`)
    failures(object(one, id)['failures'], fail)
  }
  const base = simulatorProfiles.default
  const all = given['*'] as Partial<ProviderProfile> | undefined
  const providers = Object.fromEntries(
    simulatedProviders.map((id) => [id, { ...base.providers[id], ...all, ...(given[id] as Partial<ProviderProfile>) }]),
  )
  return { ...base, timeScale: 1, ...profile, name: name as string, providers } as SimulatorProfile
}

function knownAnswers(value: unknown, fail: (detail: string) => never): void {
  if (value === undefined) return
  const { answers, wrongShare, wrongRepairShare = 0 } = (value ?? {}) as Json
  const isShare = (share: unknown): boolean => typeof share === 'number' && share >= 0 && share <= 1
  const isAnswer = (one: Json | null): boolean =>
    ['task', 'right', 'wrong'].every((name) => typeof one?.[name] === 'string' && one[name] !== '')
  if (!Array.isArray(answers) || !answers.every(isAnswer) || !isShare(wrongShare) || !isShare(wrongRepairShare))
    fail("'known' must be { answers: [{ task, right, wrong }], wrongShare, wrongRepairShare }, shares from 0 to 1")
}

function failures(value: unknown, fail: (detail: string) => never): void {
  if (value === undefined) return
  const known = injectableFailures as readonly string[]
  const fine =
    Array.isArray(value) &&
    value.every(
      ({ kind, share } = {} as Json) => known.includes(kind) && typeof share === 'number' && share >= 0 && share <= 1,
    )
  if (!fine) fail(`'failures' must be a list of { kind, share }; kinds are ${known.join(', ')}`)
}
