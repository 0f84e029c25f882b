/** The providers that the simulator plays. */
export const simulatedProviders = ['deepseek', 'groq', 'openai', 'gemini', 'mistral'] as const
export type SimulatedProvider = (typeof simulatedProviders)[number]

/**
 * What can be made to go wrong: a refusal in the provider's own words, a stream that ends early (`truncated`), stands still
 * (`timeout_idle`) or never starts (`timeout_first_token`), an error object inside a stream (`stream_error`), an HTML page with
 * status 200 (`malformed`), or no reply at all (`unreachable`).
 */
export const injectableFailures = [
  'rate_limited',
  'quota_exhausted',
  'auth',
  'bad_request',
  'too_large',
  'overloaded',
  'server_error',
  'truncated',
  'timeout_idle',
  'timeout_first_token',
  'stream_error',
  'malformed',
  'unreachable',
] as const
export type InjectableFailure = (typeof injectableFailures)[number]

export interface ProviderProfile {
  /** Time to first token of a prompt that takes no time to read, simulated ms. */
  readonly firstTokenMs: number
  /** Speed of reading what the prompt cache does not hold, before the first token. Absent: no time. */
  readonly promptTokensPerSecond?: number
  /** Speed of taking over what it holds. Absent: no time. */
  readonly cachedTokensPerSecond?: number
  /** Speed after that; `Infinity`: all at once. */
  readonly tokensPerSecond: number
  /** 0–1: both figures vary by this share up and down, seeded. */
  readonly jitter: number
  /** Most requests at once; more are refused with 429. Absent: no limit. */
  readonly concurrency?: number
  /** Accepted requests in any 60 simulated seconds. */
  readonly requestsPerMinute?: number
  /** Prompt and answer tokens accepted in any 60 simulated seconds. */
  readonly tokensPerMinute?: number
  /** Accepted requests in any 24 simulated hours. */
  readonly requestsPerDay?: number
  /** Shares of requests that fail, each 0–1, together at most 1. A repeated request draws again. */
  readonly failures?: readonly { readonly kind: InjectableFailure; readonly share: number }[]
  /** What happens to the first well-formed requests, one after the other; the later ones draw by `failures`. */
  readonly script?: readonly ('ok' | InjectableFailure)[]
  /** Known models; another is answered with 404. Absent: any, and a few of the provider's own are listed. */
  readonly models?: readonly string[]
  /** Accepted keys; another is answered with 401. Absent: any that is not empty. */
  readonly keys?: readonly string[]
  /** Share of its answers of prose and code, 0–1, that carry a planted error. Absent: none. */
  readonly errorShare?: number
  /** Share of planted errors, 0–1, that it sees when it verifies a draft or compares two answers. Absent: all. */
  readonly recall?: number
  /** Of the drafts that it finds an error in, the share, 0–1, that it corrects with a patch. Absent: none, it rejects them. */
  readonly patchShare?: number
  /** Share of drafts without an error, 0–1, that it rejects all the same. Absent: none. */
  readonly falseRejectShare?: number
  /** How Gemini answers for a cached content that is gone; default 403. */
  readonly goneStatus?: 403 | 404
}

/** The first whose `task` is in the prompt's task is answered: wrongly in a share of the draws, a repair in a share of its own. */
export interface KnownAnswers {
  readonly answers: readonly { readonly task: string; readonly right: string; readonly wrong: string }[]
  readonly wrongShare: number
  /** Default: `wrongShare`. */
  readonly wrongRepairShare?: number
}

export interface SimulatorProfile {
  readonly name: string
  /** Real ms for one simulated ms: 0.1 makes everything ten times as fast. */
  readonly timeScale: number
  /** Tokens of an answer of prose or code, at most what the request allows. Absent: what the prompt says of the
   *  answer's length, else by `answerShare`. */
  readonly answerTokens?: number
  /** Share of the tokens that the request allows, 0–1, that an answer takes. Absent: all of them. */
  readonly answerShare?: number
  /** Share of audits that find issues, 0–1. */
  readonly auditIssueShare: number
  /** Answers to known tasks, right or wrong. Absent: every answer is invented. */
  readonly known?: KnownAnswers
  readonly providers: Readonly<Record<SimulatedProvider, ProviderProfile>>
}

function all(profile: ProviderProfile): SimulatorProfile['providers'] {
  return { deepseek: profile, groq: profile, openai: profile, gemini: profile, mistral: profile }
}

/** Callers allow several times what they expect: the run machine four times. A typical answer is as long as expected. */
const answerShare = 0.25

/** What is cached is taken over twenty times as fast as it would be read. */
const reading = (promptTokensPerSecond: number): Partial<ProviderProfile> => ({
  promptTokensPerSecond,
  cachedTokensPerSecond: 20 * promptTokensPerSecond,
})

/** Near what the vendors claim, in simulated time. */
const claimed: SimulatorProfile['providers'] = {
  deepseek: { firstTokenMs: 1500, tokensPerSecond: 55, jitter: 0.15, concurrency: 39, ...reading(8000) },
  groq: { firstTokenMs: 600, tokensPerSecond: 450, jitter: 0.2, concurrency: 30, ...reading(20000) },
  openai: { firstTokenMs: 1200, tokensPerSecond: 110, jitter: 0.15, concurrency: 50, ...reading(10000) },
  gemini: { firstTokenMs: 1100, tokensPerSecond: 190, jitter: 0.15, concurrency: 30, ...reading(15000) },
  mistral: { firstTokenMs: 800, tokensPerSecond: 140, jitter: 0.15, concurrency: 30, ...reading(10000) },
}

const flakyFailures: ProviderProfile['failures'] = [
  { kind: 'rate_limited', share: 0.06 },
  { kind: 'server_error', share: 0.04 },
  { kind: 'overloaded', share: 0.04 },
  { kind: 'truncated', share: 0.03 },
  { kind: 'stream_error', share: 0.02 },
  { kind: 'malformed', share: 0.01 },
]

function flaky(profile: ProviderProfile): ProviderProfile {
  return { ...profile, ...(flakyFailures && { failures: flakyFailures }) }
}

/** The profiles by name. All are inventions: none is a measurement of a provider. */
export const simulatorProfiles = {
  /** For demonstrations: the claimed speeds, ten times as fast. */
  default: { name: 'default', timeScale: 0.1, auditIssueShare: 0.2, answerShare, providers: claimed },
  /** The reference load: an answer of 1500 tokens takes 30 s on any provider, five of them are 150 s of work. Real time. */
  mission: {
    name: 'mission',
    timeScale: 1,
    auditIssueShare: 0,
    answerTokens: 1500,
    providers: all({ firstTokenMs: 1000, tokensPerSecond: 1500 / 29, jitter: 0, concurrency: 39 }),
  },
  /** For tests: no waiting, no jitter, no limits. */
  instant: {
    name: 'instant',
    timeScale: 1,
    auditIssueShare: 0,
    answerTokens: 120,
    providers: all({ firstTokenMs: 0, tokensPerSecond: Infinity, jitter: 0 }),
  },
  /** As `default`, and one request in five fails in one of six ways. */
  flaky: {
    name: 'flaky',
    timeScale: 0.1,
    answerShare,
    auditIssueShare: 0.2,
    providers: {
      deepseek: { ...flaky(claimed.deepseek), patchShare: 0.4 },
      groq: { ...flaky(claimed.groq), errorShare: 0.3 },
      openai: flaky(claimed.openai),
      gemini: flaky(claimed.gemini),
      mistral: flaky(claimed.mistral),
    },
  },
} as const satisfies Readonly<Record<string, SimulatorProfile>>
export type SimulatorProfileName = keyof typeof simulatorProfiles
