/** The report of a run: time, tokens and money by call, step, provider and type. Written by the core (core/run/report.cpp). */
import type { CheckFound } from './check-port.js'
import type { CheckVerdict, FailureKind, Outcome, Purpose, Reason } from './generated/wire.js'

/** Distribution of measured times, ms; null where nothing was measured. */
export interface Spread {
  readonly count: number
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly max: number | null
}

export interface LostTotals {
  readonly tokens: { readonly input: number; readonly output: number }
  readonly costMicroUsd: number
}

export interface CallTotals {
  readonly calls: number
  readonly succeeded: number
  readonly hedges: number
  /** Calls that never left, because their prompt outgrew what was reserved; counted nowhere else. */
  readonly withheld: number
  /** Calls that failed, by kind. */
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>
  readonly tokens: {
    readonly input: number
    readonly cached: number
    readonly output: number
    readonly reasoning: number
    /** Prompt tokens that stripping saved, estimated. */
    readonly strippedEstimate: number
  }
  readonly costMicroUsd: number
  /** What calls cost that did not succeed, and of them those that the run or a person cancelled; both are in the sums above. */
  readonly lost: LostTotals
  readonly cancelled: LostTotals
  /** What providers' prompt caches came to. */
  readonly promptCache: {
    /** Tokens read from them ÷ tokens of all prompts; null: there were none. */
    readonly hitRate: number | null
    /** Tokens that the run expected there: those that a step before had sent already. */
    readonly sharedTokens: number
    /** Against paying for every token as for one that is not there; writing at a price of its own is taken off. */
    readonly savedMicroUsd: number
    /** What reading those tokens would have taken, at the speed that was measured; null: it was not. */
    readonly savedMs: number | null
  }
  /** Sum of call times. */
  readonly workMs: number
  readonly queueMs: Spread
  readonly firstTokenMs: Spread
  readonly responseMs: Spread
  readonly networkMs: Spread
}

export interface RouteInfo {
  readonly id: string
  readonly provider: string
  readonly model: string
  /** Name of the rule that decided, and the reason in words. */
  readonly rule: string
  readonly why: string
  /** What the table says of its speed, and of the price of a million answer tokens. */
  readonly tokensPerSecond: number
  readonly microUsdPerMtok: number
  readonly alternatives: readonly { readonly provider: string; readonly model: string }[]
}

/** One call. `call`: its number, as the events carry it. */
export interface CallReport {
  readonly call: number
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly outcome: 'ok' | 'running' | FailureKind
  readonly readyAt: number | null
  readonly dispatchedAt: number | null
  readonly endedAt: number | null
  readonly queueMs: number | null
  readonly firstTokenMs: number | null
  readonly responseMs: number | null
  /** Response time less the time the provider says it spent, else connection set-up, else null. */
  readonly networkMs: number | null
  readonly tokens: {
    readonly input: number
    readonly cached: number
    readonly output: number
    readonly reasoning: number
    /** Written to the provider's prompt cache, where that has a price of its own. */
    readonly written?: number
    readonly estimated: boolean
    readonly strippedEstimate: number
  }
  readonly costMicroUsd: number
  /** False: the configured worst case stood in for an unknown price. */
  readonly priceKnown: boolean
  readonly finish?: string
  readonly check?: CheckVerdict
  readonly overflowed?: boolean
  /** It went on from the text of an earlier call. */
  readonly continues?: boolean
  /** At the provider's peak price. */
  readonly peak?: boolean
  /** Tokens that it was expected to find in the provider's prompt cache, and the step that had put them there. */
  readonly sharedTokens?: number
  readonly leader?: string
  /** What it waited for before it went, other than a free place. */
  readonly waited?: Reason
  /** Why the run cancelled it. */
  readonly cancelled?: Reason
}

/** What was found in the documents for a step. */
export interface StepDocumentsReport {
  /** What goes into its prompt, in its order. */
  readonly references: readonly string[]
  /** That they add to the prompt, estimated. */
  readonly tokens: number
  /** That they are what was asked for, 0–1. */
  readonly confidence: number
  /** ms; 0: found for another step already. */
  readonly retrievalTimeMs: number
  /** Why there are none: no word of the question stands anywhere, or nothing is found with confidence enough. */
  readonly abstained?: 'nothing' | 'unsure'
  /** Why nothing could be looked for; the step fails with it. */
  readonly failure?: string
}

/** The check of the answer that a step ended with, or failed with. */
export interface StepCheckReport extends CheckFound {
  /** Answers that were checked. */
  readonly answers: number
  /**
   * Whether the first answer passed what was run for it, with no repair and no retry that saw a failure; null: nothing was run. A first
   * answer that was refused before it could be run has not passed.
   */
  readonly firstTry: boolean | null
}

/** Of steps whose answers were checked. Shares are null where there is nothing to share. */
export interface CheckTotals {
  /** Steps with a check that was run, those whose first answer passed it, and the share. */
  readonly functional: number
  readonly firstTry: number
  readonly firstTryShare: number | null
  /** Steps of which nothing was run: read only, or not checked at all. */
  readonly unchecked: number
  readonly passed: number
  readonly failed: number
  /** Mean quality scores: whole ones, and those without tests. They are never mixed. */
  readonly quality: number | null
  readonly partialQuality: number | null
}

export type StepState = 'done' | 'failed' | 'skipped' | 'cancelled' | 'waiting' | 'ready' | 'calling' | (string & {})

export interface StepReport {
  readonly id: string
  readonly type: string
  readonly state: StepState
  readonly failure?: FailureKind
  /** Why it was skipped or cancelled; of a done step: recalled, cache_exact, cache_semantic, shared. */
  readonly reason?: Reason
  /** The dependency that failed it; shared: the step that has the answer. */
  readonly cause?: string
  readonly audit?: 'passed' | 'issues' | 'undone'
  readonly repaired?: boolean
  /** What became of its draft, or why there was none although drafts were allowed. */
  readonly draft?: Reason
  /** Of an accepted, patched or rejected draft, how much stands, in 1/1000. */
  readonly draftKeptPermille?: number
  /** What a full answer said of the accepted draft. */
  readonly canary?: 'canary_agrees' | 'canary_regrets'
  readonly startedAt: number | null
  readonly settledAt: number | null
  readonly route?: RouteInfo
  readonly costMicroUsd: number
  readonly calls: readonly CallReport[]
  /** Absent: no answer of it was checked. */
  readonly check?: StepCheckReport
  /** Absent: it asked for none, or nothing was looked for. */
  readonly documents?: StepDocumentsReport
}

/** What drafts came to, over all steps that could have been drafted. */
export interface DraftsReport {
  /** Steps that could have been drafted: drafted, or not for a reason that is told. */
  readonly eligible: number
  /** Of them those whose draft got a verdict. `patched` and `rejected` are never counted as accepted. */
  readonly accepted: number
  readonly patched: number
  readonly rejected: number
  /** Drafts, or their verdicts, that came to nothing. */
  readonly failed: number
  /** Drafts beside a full answer that was there first. */
  readonly late: number
  /** Not drafted: switched off, too little gain, no money. */
  readonly refused: number
  /** Mean share of patched drafts that was kept; null: there was none. */
  readonly patchedKept: number | null
  /** Accepted of all that were drafted; null: none. */
  readonly acceptedShare: number | null
  /** Accepted drafts that were compared with a full answer, and those that were worse; the share's interval of 95 % (Wilson). */
  readonly regret: { readonly audited: number; readonly regrets: number; readonly low: number; readonly high: number }
  /**
   * Time that the steps would have taken in full over the time that they took, from when they were ready, over all eligible steps. What
   * a full answer takes is reckoned from the speeds that the run measured; null: it measured none.
   */
  readonly speedup: number | null
  /** Mean ms from when a drafted step was ready to its draft's first token, and to the confirmed answer. Two figures, never one. */
  readonly ttftProvisionalMs: number | null
  readonly timeToConfirmedMs: number | null
  /** Of the eligible steps, by leg; `main`: full answers. */
  readonly costMicroUsd: Readonly<Record<'draft' | 'verify' | 'main' | 'canary' | 'judge', number>>
  /** More than 70 % accepted, at least 1.5 ×; null: not measured. */
  readonly met: { readonly accepted: boolean | null; readonly speedup: boolean | null }
}

/** A ceiling of a budget; null if there is none. */
export interface CeilingReport {
  readonly costMicroUsd: number | null
  readonly tokens: number | null
}

export interface AssumedPrice {
  readonly provider: string
  readonly model: string
  readonly inMicroUsdPerMtok: number
  readonly outMicroUsdPerMtok: number
}

/** What the core reports of a run; times in ms since its start, money in micro-USD (1 USD = 1,000,000). */
export interface RunReport {
  readonly taskId: string
  readonly description: string
  readonly outcome: Outcome | 'running'
  readonly mode: string
  readonly pricesAsOf: string
  /** Models that were called without a known price, and the price that was assumed (`unknownPrice`), micro-USD per million tokens. */
  readonly assumedPrices: readonly AssumedPrice[]
  readonly counts: {
    readonly total: number
    readonly done: number
    readonly failed: number
    readonly skipped: number
    readonly cancelled: number
  }
  readonly successRate: number | null
  readonly makespanMs: number
  readonly sumOfStepsMs: number
  readonly speedup: number | null
  /** Share of calls on a connection that had served before; null: unknown. */
  readonly connectionReuseRate: number | null
  /** ms spent on setting connections up, and what the reused ones saved at that mean. */
  readonly connectionSetupMs: number
  readonly connectionSetupSavedMs: number
  /** Present when the run has one. Ceilings are null where there is none. */
  readonly budget?: {
    readonly run: CeilingReport
    readonly step: CeilingReport
    readonly attempt: CeilingReport
    readonly spentMicroUsd: number
    readonly spentTokens: number
    readonly reservedMicroUsd: number
    /** What failed calls may have cost beyond their estimate, since their providers never said: counts against the budget. */
    readonly heldMicroUsd: number
  }
  /** Present when steps could have been drafted. */
  readonly drafts?: DraftsReport
  /** Present when the run had a cache. Steps, but for what was saved; `misses` had to be called. */
  readonly cache?: {
    readonly looked: number
    readonly exact: number
    readonly semantic: number
    readonly shared: number
    readonly misses: number
    /** Answers that the cache took. */
    readonly stored: number
    /** Hits of all three kinds among hits and misses; null: there were none. */
    readonly hitRate: number | null
    readonly savedTokens: number
    readonly savedMicroUsd: number
    readonly savedMs: number
  }
  /** Present when documents were looked for. Of all steps that asked; `retrievalTimeMs`: what the looks took together. */
  readonly documents?: {
    readonly steps: number
    readonly sections: number
    readonly tokens: number
    readonly retrievalTimeMs: number
    /** Steps that nothing was found for, with confidence enough. */
    readonly abstained: number
  }
  /** Present when answers were checked. `boxes`: where programs ran. */
  readonly checks?: CheckTotals & {
    readonly boxes: readonly string[]
    readonly byProvider: readonly (CheckTotals & { readonly name: string })[]
    readonly byType: readonly (CheckTotals & { readonly name: string })[]
  }
  /** Providers whose breaker opened. */
  readonly breakers: readonly {
    readonly provider: string
    readonly state: 'closed' | 'open' | 'half_open'
    readonly opened: number
  }[]
  readonly totals: CallTotals
  readonly criticalPath: readonly string[]
  readonly targets: readonly {
    readonly metric: 'firstToken' | 'response' | 'queue' | 'network'
    readonly targetMs: number
    readonly measured: number
    readonly missedBy: readonly { readonly id: string; readonly ms: number }[]
  }[]
  /** 0–1: the share of prompt tokens that is to be read from providers' caches, where steps share any. */
  readonly promptCacheTarget: number
  readonly byProvider: readonly (CallTotals & { readonly name: string })[]
  readonly byType: readonly (CallTotals & { readonly name: string })[]
  readonly steps: readonly StepReport[]
}

/** A dry run on the virtual clock. */
export interface Explanation {
  readonly virtual: true
  readonly costMicroUsd: { readonly low: number; readonly expected: number; readonly high: number }
  readonly report: RunReport
  /**
   * Of a plan that has conditions, steps that spread, or rules that end steps: what it comes to at least (conditions do not hold, lists are
   * empty, rules end all that they may), as expected, and at most. The report, and `costMicroUsd`, are those of the most.
   */
  readonly range?: PlanRange
}

export interface PlanRange {
  readonly least: RangeCase
  /** Conditions hold, lists have `expected_items`, a step counts as much as it is likely that no rule ends it. */
  readonly expected: RangeCase
  readonly most: RangeCase
}
export interface RangeCase {
  /** Steps that are called. */
  readonly steps: number
  readonly calls: number
  readonly costMicroUsd: number
  /** Of the expected case with all its steps. */
  readonly makespanMs: number
}
