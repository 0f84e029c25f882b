/** `aetherflow cache explain "PROMPT"`: what a look-up would find, and why it would serve it or not. */
import { formatCount, oneLine } from '../../../web/standard/format.js'
import type { CacheExplanation, ExplainedCandidate } from '../../../web/standard/cache/options.js'
import { outcomeOf } from '../../../web/standard/cache/outcomes.js'
import { AetherflowError } from '../../index.js'
import type { SemanticCache } from '../../cache/semantic-cache.js'
import { cacheConfig, openToLook, pulledModel } from '../cache-place.js'
import { placeWords } from '../../redis/address.js'
import { paint, type Paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'
import { outcomeWords, verdictWords } from '../verdict-words.js'
import { emptyCache, formatAge, meant, type LookFlags } from './cache.js'

const promptStart = 200

export interface ExplainFlags extends LookFlags {
  /** The beginning of a key, as `list` shows it. */
  readonly in?: string
}

export async function cacheExplain(asked: string, flags: ExplainFlags, host: Host): Promise<ExitCode> {
  const config = await cacheConfig(flags, host)
  const model = config.model ?? pulledModel(host.env) ?? 'lexical'
  const cache = await openToLook(config, host, { model })
  const { stdout } = host
  if (cache === undefined) {
    if (!flags.json) return emptyCache(placeWords(config.dir), host)
    stdout.write(
      `${JSON.stringify({ folder: placeWords(config.dir), kind: 'miss', why: 'empty', exact: [], candidates: [] })}\n`,
    )
    return exitCodes.ok
  }
  try {
    const prompt = asked === '-' ? await textOf(host) : asked
    const within = flags.in === undefined ? undefined : await neighbours(flags.in, cache)
    const { exactOnly, ...found } = await cache.explain(prompt)
    const { tenant } = flags
    const wanted = ({ key, label }: { key: string; label: string }): boolean =>
      (tenant === undefined || meant({ label }, { tenant })) && within?.has(key) !== false
    const explanation = {
      exactOnly,
      exact: found.exact.filter(wanted),
      candidates: found.candidates.filter(wanted),
    }
    const verdict = verdictOf(explanation)
    if (flags.json) {
      stdout.write(
        `${asciiControls(JSON.stringify({ folder: placeWords(config.dir), model, ...verdict, ...explanation }))}\n`,
      )
    } else {
      const lines = explanationLines(explanation, verdict, model, paint(stdout, host.env), stdout.columns ?? 120)
      stdout.write(`${lines.join('\n')}\n`)
    }
    return exitCodes.ok
  } finally {
    await cache.close()
  }
}

/** Keys of the entries that are asked about in the same words around them: of the same plan, files and outputs, and the same target. */
async function neighbours(start: string, cache: SemanticCache): Promise<ReadonlySet<string>> {
  const heads = await cache.list()
  const head = heads.find(({ key }) => key.startsWith(start))
  if (head === undefined) throw new AetherflowError('host.usage', '--in', `there is no entry ${start}`)
  return new Set(heads.filter(({ scope }) => scope === head.scope).map(({ key }) => key))
}

async function textOf({ stdin }: Host): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of stdin) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

interface Verdict {
  readonly kind: 'exact' | 'semantic' | 'miss'
  readonly why: string
}

function verdictOf({ exact, exactOnly, candidates }: CacheExplanation): Verdict {
  if (exact.length > 0) return { kind: 'exact', why: 'exact' }
  const hit = candidates.find((candidate) => candidate.hit)
  if (hit !== undefined) return { kind: 'semantic', why: hit.why }
  return { kind: 'miss', why: exactOnly === '' ? (candidates[0]?.why ?? 'empty') : exactOnly }
}

function explanationLines(
  { exact, candidates }: CacheExplanation,
  { kind, why }: Verdict,
  model: string,
  colours: Paint,
  columns: number,
): string[] {
  const now = Date.now()
  const lines = exact.map(
    ({ label, createdAt }) => `the same request is stored, ${formatAge(now - createdAt)} old${of(label)}`,
  )
  if (candidates.length > 0) {
    const heads = ['cosine', 'probability', 'sure of', 'needed', 'age', 'prompt']
    const rows = candidates.map((candidate) => row(candidate, now))
    const [head = '', ...table] = alignedTable(heads, rows, columns)
    lines.push(head)
    for (const [at, line] of table.entries()) {
      const { hit = false, why: own = '', closed = false } = candidates[at] ?? {}
      const outcome = outcomeWords[outcomeOf({ served: hit, why: own, closed })]
      lines.push(line, `        ${hit ? colours.green(outcome) : outcome}: ${verdictWords(own)}`)
    }
    lines.push('')
  }
  const paintOf = kind === 'miss' ? colours.yellow : colours.green
  const words = kind === 'miss' ? 'miss' : kind === 'exact' ? 'hit' : 'hit by meaning'
  const refused = candidates.filter(({ hit }) => !hit).length
  const among = kind === 'exact' || candidates.length === 0 ? '' : `; ${formatCount(refused)} refused`
  lines.push(
    `${paintOf(words)}: ${missWords(candidates[0], why, kind)}${among} ${colours.dim(`(compared by ${oneLine(model)})`)}`,
  )
  return lines
}

const of = (label: string): string => (label === '' ? '' : `, of ${oneLine(label)}`)

/** Of a miss also whether a lower bar would have served it. */
function missWords(best: ExplainedCandidate | undefined, why: string, kind: Verdict['kind']): string {
  if (kind !== 'miss' || best?.why !== why) return verdictWords(why)
  const outcome = outcomeOf({ served: false, why, closed: best.closed })
  if (outcome === 'bar')
    return `${verdictWords(why)}; it is not sure enough, and a greater --cache-share might serve it`
  return outcome === 'closed' ? `${verdictWords(why)}; no share serves it` : verdictWords(why)
}

function row({ score, probability, bound, needed, createdAt, prompt }: ExplainedCandidate, now: number): string[] {
  // Of what a guard refused, no probability was asked.
  const judged = probability > 0 || bound > 0
  return [
    score.toFixed(3),
    judged ? probability.toFixed(4) : '–',
    judged ? bound.toFixed(4) : '–',
    judged ? needed.toFixed(4) : '–',
    formatAge(now - createdAt),
    oneLine([...prompt].slice(0, promptStart).join('')),
  ]
}
