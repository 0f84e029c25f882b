/** `aetherflow bench draft`: the same plan with and without drafts, pair by pair, on the virtual clock. */
import { DraftBook } from '../../web/standard/draft/book.js'
import type { DraftsReport } from '../../bindings/events.js'
import { stepMs } from '../../web/standard/draft/summary.js'
import { draftTargets } from '../../web/standard/draft/targets.js'
import { formatUsd } from '../../web/standard/format.js'
import type { SimulatorProfile } from '../../web/standard/simulator/index.js'
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { loadLimits } from '../loader.js'
import { formulaGain } from './draft-formula.js'
import { ownContext, playRun } from './played-run.js'
import { differenceWords, type Sheet } from './sheet.js'
import { estimate, pairedDifference, shareEstimate } from './statistics.js'

interface DraftProfile {
  readonly name: string
  readonly verifier: { readonly firstTokenMs: number; readonly tokensPerSecond: number; readonly recall?: number }
  /** Share of drafts that carry a planted error. */
  readonly errorShare: number
  /** Only the places that the table gives to providers: all steps want one at once. Else there is one for each. */
  readonly crowded?: true
  /** The full answer is asked for at the same time. */
  readonly hedged?: true
}

const drafter = { firstTokenMs: 250, tokensPerSecond: 500 }
const slow = { firstTokenMs: 800, tokensPerSecond: 60 }

/** As in the measurements that the feature was designed by: a drafter like Groq's, verifiers slow and fast, accept shares, planted errors. */
export const draftProfiles: readonly DraftProfile[] = [
  { name: 'verifier 0.8 s, 60/s; 0.8 right', verifier: slow, errorShare: 0.2 },
  { name: 'verifier 0.8 s, 60/s; 0.9 right', verifier: slow, errorShare: 0.1 },
  { name: 'verifier 0.8 s, 60/s; 0.7 right', verifier: slow, errorShare: 0.3 },
  { name: 'verifier 0.8 s, 60/s; 0.5 right', verifier: slow, errorShare: 0.5 },
  {
    name: 'verifier 2.0 s, 60/s; 0.8 right',
    verifier: { firstTokenMs: 2000, tokensPerSecond: 60 },
    errorShare: 0.2,
  },
  {
    name: 'verifier 3.4 s, 108/s; 0.8 right',
    verifier: { firstTokenMs: 3400, tokensPerSecond: 108 },
    errorShare: 0.2,
  },
  {
    name: 'verifier 3.1 s, 250/s; 0.8 right',
    verifier: { firstTokenMs: 3100, tokensPerSecond: 250 },
    errorShare: 0.2,
  },
  { name: 'the first one, beside a full answer', verifier: slow, errorShare: 0.2, hedged: true },
  { name: 'planted: half of 0.3 missed', verifier: { ...slow, recall: 0.5 }, errorShare: 0.3 },
  { name: 'few places; 0.8 right', verifier: slow, errorShare: 0.2, crowded: true },
]

/** Steps enough for the tests to decide; no step waits for another, as times are compared step by step. */
const steps = 40

function builtInPlan(): string {
  const step = (index: number): object => ({
    id: `part-${index + 1}`,
    type: 'documentation',
    description: `Describe part ${index + 1} of the system`,
    estimated_tokens: 600,
  })
  return JSON.stringify({
    task_id: 'drafts',
    description: 'A manual',
    steps: Array.from({ length: steps }, (_, i) => step(i)),
  })
}

function simulated({ verifier, errorShare }: DraftProfile, base: SimulatorProfile): SimulatorProfile {
  const strong = { ...verifier, jitter: 0.1, concurrency: 4 * steps }
  return {
    ...base,
    name: 'draft',
    providers: {
      ...base.providers,
      groq: { ...drafter, jitter: 0.1, errorShare, concurrency: 2 * steps },
      deepseek: strong,
      gemini: { ...strong, recall: 1 },
    },
  }
}

/** The speeds of the profile as the run plans with them, and places for every step unless they are few. */
function surroundings({ verifier, crowded, hedged }: DraftProfile) {
  const speed = { firstTokenMs: verifier.firstTokenMs, tokensPerSecond: verifier.tokensPerSecond }
  return {
    config: {
      drafts: { hedged: hedged === true },
      providers: {
        deepseek: { models: { 'deepseek-flash': speed } },
        groq: { models: { 'openai/gpt-oss-120b': drafter } },
      },
    },
    ...(crowded ? {} : { concurrency: { groq: 2 * steps, deepseek: 4 * steps, gemini: 4 * steps } }),
  }
}

interface Arm {
  /** Sum of the times of all steps, from when they were ready. */
  readonly ms: number
  readonly microUsd: number
  readonly summary: DraftsReport | undefined
  /** Outputs with a planted error. */
  readonly wrong: number
  /** Tokens of each draft and of each verdict. */
  readonly draftTokens: readonly number[]
  readonly verdictTokens: readonly number[]
  /** Of each draft that was rejected: the share that the full answer went on from. */
  readonly kept: readonly number[]
}

async function arm(run: Parameters<typeof playRun>[0]): Promise<Arm> {
  const { report, outputs } = await playRun(run)
  const ms = report.steps.reduce((sum, step) => sum + stepMs(step), 0)
  const wrong = [...outputs.values()].filter((text) => text.includes('(simulated error: ')).length
  const tokensOf = (purpose: 'draft' | 'verify'): number[] =>
    report.steps.flatMap(({ calls }) =>
      calls.flatMap((call) => (call.purpose === purpose && call.outcome === 'ok' ? [call.tokens.output] : [])),
    )
  return {
    ...{ ms, microUsd: report.totals.costMicroUsd, summary: report.drafts, wrong },
    ...{ draftTokens: tokensOf('draft'), verdictTokens: tokensOf('verify') },
    kept: report.steps.flatMap(({ draft, draftKeptPermille = 0 }) =>
      draft === 'draft_rejected' ? [draftKeptPermille / 1000] : [],
    ),
  }
}

export async function benchDraft({ seeds, profile: base, own, say }: BenchSetting): Promise<Sheet> {
  const plan = own?.plan ?? builtInPlan()
  const rows: string[][] = []
  const figures: object[] = []
  for (const profile of draftProfiles) {
    say?.(`${rows.length + 1} of ${draftProfiles.length}: ${profile.name}`)
    const { row, ...figure } = await measured(profile, { plan, own, seeds, profile: base })
    rows.push(row)
    figures.push({ profile: profile.name, ...figure })
  }
  const heads = [
    'Profile',
    'Accepted',
    'Patched',
    'Rejected, late',
    'Not drafted',
    'Speed-up, all',
    'By the formula',
    'Time of steps',
    'Cost',
    'Regrets',
    'Wrong outputs',
  ]
  return {
    name: 'draft',
    title: 'A plan with drafts (auto) and without, the same seeds',
    simulated: 'draft',
    tables: [{ title: own === undefined ? `${steps} texts of 600 tokens` : own.name, heads, rows }],
    remarks: [
      `Targets: more than ${draftTargets.accepted * 100} % accepted, ${draftTargets.speedup} × over all requests that could have been drafted. Patched and rejected drafts are never counted as accepted.`,
      'Speed-up and time of steps: over all steps, from when each was ready, waits for places included; cost: with every leg, comparisons too. Intervals of 95 %, paired by seed.',
      'By the formula: with the shares that were accepted and the tokens that were written, T / (draft + verdict + (1 − accepted) · rest). The rest is shorter than a full answer where a rejected draft’s good beginning is gone on from.',
      'What is known of a pair of models is kept from run to run of a profile, as a user keeps it.',
    ],
    figures,
  }
}

type Setting = Pick<BenchSetting, 'seeds' | 'profile' | 'own'> & { readonly plan: string }

/** The plan without drafts and with them, seed by seed; what is learnt of a pair is kept from run to run, in `book`. */
async function played(profile: DraftProfile, { plan, own, seeds, profile: base }: Setting, book: DraftBook) {
  const before: Arm[] = []
  const after: Arm[] = []
  for (const seed of seeds) {
    const run = {
      plan,
      ...ownContext(own),
      seed,
      profile: simulated(profile, base),
      providers: ['groq', 'deepseek', 'gemini'],
      ...surroundings(profile),
    }
    before.push(await arm(run))
    after.push(await arm({ ...run, draft: 'auto', pairs: book }))
  }
  return { before, after }
}

/** What the formula says of the drafts that there were. */
function expectedGain(
  { verifier, hedged }: DraftProfile,
  after: readonly Arm[],
  shares: { readonly accepted: number; readonly drafted: number },
): number {
  const mean = (of: (arm: Arm) => readonly number[]): number => meanOf(after.flatMap(of))
  return formulaGain({
    ...{ drafter, verifier, ...shares, hedged: hedged === true },
    answerTokens: mean((arm) => arm.draftTokens),
    verdictTokens: mean((arm) => arm.verdictTokens),
    kept: mean((arm) => arm.kept),
  })
}

/** What became of all drafts of all runs. */
function counted(after: readonly Arm[]) {
  const sum = (of: (summary: DraftsReport) => number): number =>
    after.reduce((total, { summary }) => total + (summary === undefined ? 0 : of(summary)), 0)
  const counts = {
    accepted: sum((s) => s.accepted),
    patched: sum((s) => s.patched),
    rejected: sum((s) => s.rejected),
    failed: sum((s) => s.failed),
    late: sum((s) => s.late),
    refused: sum((s) => s.refused),
    eligible: sum((s) => s.eligible),
  }
  const { accepted, patched, rejected, failed, late } = counts
  const [regrets, audited] = [sum((s) => s.regret.regrets), sum((s) => s.regret.audited)]
  return { counts: { drafted: accepted + patched + rejected + failed + late, ...counts }, regrets, audited }
}

async function measured(profile: DraftProfile, setting: Setting) {
  const book = new DraftBook(await loadLimits())
  const { before, after } = await played(profile, setting, book)
  const { counts, regrets, audited } = counted(after)
  const { drafted, accepted, patched, refused, eligible } = counts
  const speedup = estimate(before.map(({ ms }, index) => ms / after[index]!.ms))
  const [msBefore, usdBefore] = [meanOf(before.map(({ ms }) => ms)), meanOf(before.map(({ microUsd }) => microUsd))]
  const ms = pairedDifference(
    before.map((one) => one.ms),
    after.map((one) => one.ms),
  )
  const cost = pairedDifference(
    before.map((one) => one.microUsd),
    after.map((one) => one.microUsd),
  )
  const regret = shareEstimate(regrets, audited)
  const formula =
    drafted === 0
      ? null
      : expectedGain(profile, after, { accepted: (accepted + patched) / drafted, drafted: drafted / eligible })
  const wrong = after.reduce((total, one) => total + one.wrong, 0)
  const [pair] = book.toJSON().pairs
  return {
    row: [
      profile.name,
      drafted === 0 ? '–' : percent(accepted / drafted),
      String(patched),
      String(counts.rejected + counts.failed + counts.late),
      `${refused} of ${eligible}${pair !== undefined && pair.switched > 0 ? ', switched off' : ''}`,
      `${speedup.value.toFixed(2)} × [${speedup.low.toFixed(2)}, ${speedup.high.toFixed(2)}]`,
      formula === null ? '–' : `${formula.toFixed(2)} ×`,
      differenceWords(ms, msBefore),
      `${differenceWords(cost, usdBefore)} of ${formatUsd(usdBefore)}`,
      `${regrets} of ${audited}, at most ${percent(regret.high)}`,
      `${wrong} of ${eligible}`,
    ],
    ...{ ...counts, speedup, formula, ms, cost, regret, wrong },
    pair: pair ?? null,
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
