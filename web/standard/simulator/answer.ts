import type { KnownAnswers } from './profiles.js'
import { hashText, pick, seeded } from './random.js'
import { schemaInstance } from './schema-instance.js'
import { countTokens, splitTokens } from './tokens.js'
import { comparisonText, planted, verdictText, type Reviewer } from './reviews.js'
import { codeText, proseText } from './writing.js'

/** What the answer is shaped by: the request without its wire format. */
export interface AnswerRequest {
  readonly system: string
  readonly user: string
  /** Most tokens of the answer. */
  readonly maxTokens: number
  /** Aimed at for prose and code; at most `maxTokens`. */
  readonly wantedTokens: number
  readonly format: 'text' | 'code' | 'json_object' | 'json_schema'
  /** The schema of `json_schema`. */
  readonly schema?: unknown
  readonly auditIssueShare: number
  readonly known?: KnownAnswers | undefined
  /** How it reviews drafts. */
  readonly reviewer?: Reviewer
  /** Share of its answers of prose and code that carry a planted error. */
  readonly errorShare?: number
  /** The answer goes on from here: it is the same answer as without, less what is there already. */
  readonly prefix?: string
}

export interface Answer {
  /** The text in the pieces it is streamed in; they join to the answer. */
  readonly pieces: readonly string[]
  readonly finish: 'stop' | 'length'
}

/** A deterministic answer: the same seed and request give the same pieces. Cut with finish `length` when it cannot fit. */
export function simulateAnswer(request: AnswerRequest, seed: number): Answer {
  const pieces = splitTokens(answerText(request, seed).slice(request.prefix?.length ?? 0))
  return pieces.length <= request.maxTokens
    ? { pieces, finish: 'stop' }
    : { pieces: pieces.slice(0, Math.max(1, request.maxTokens)), finish: 'length' }
}

const asksForJson =
  /\bJSON (?:only|object|value|document)|only (?:with )?(?:valid )?JSON|(?:as|in|is|be|return|answer(?: with)?|respond with) (?:valid )?JSON|JSON Schema/i
const asksForCode = /\bcode only\b|\bonly (?:the )?(?:source )?code\b|\bno prose\b/i

function answerText(request: AnswerRequest, seed: number): string {
  const { system, user, format, wantedTokens } = request
  const random = seeded(hashText(`${system}\n${user}`, seed))
  const task = taskOf(user)
  // What stands around a gap in code gives no orders.
  if (format === 'code') return codeText(random, task, user, wantedTokens)
  // Orders stand in the system text and outside of all tags; files and answers may speak of JSON, code and verdicts too.
  const orders = `${system}\n${system === '' ? user : untagged(user)}`
  // What a reviewer is asked stands behind what it reviews.
  const asked = user.slice(-2000)
  if (asked.includes('{"verdict":"accept"}')) return verdictText(random, user, request.reviewer)
  if (asked.includes('{"better":"A"}')) return comparisonText(random, user, request.reviewer)
  if (/"verdict"/.test(orders)) return auditText(random, request.auditIssueShare)
  if (format === 'json_schema') return JSON.stringify(schemaInstance(request.schema))
  if (format === 'json_object' || asksForJson.test(orders)) {
    const schema = schemaInPrompt(user) ?? schemaInPrompt(system)
    return JSON.stringify(schema === undefined ? plainJson(random, task, wantedTokens) : schemaInstance(schema))
  }
  const known = knownAnswer(request, random)
  if (known !== undefined) return known
  const text = asksForCode.test(orders)
    ? codeText(random, task, user, wantedTokens)
    : proseText(random, task, wantedTokens)
  return random() < (request.errorShare ?? 0) ? planted(text) : text
}

/** What stands between `<name …>` and `</name>` on lines of their own is material. */
const untagged = (user: string): string => user.replace(/^<([a-z]+(?:-\d+)?)(?: [^\n>]*)?>\n[^]*?\n<\/\1>$/gm, '')
function knownAnswer({ user, known }: AnswerRequest, random: () => number): string | undefined {
  if (known === undefined) return undefined
  const task = /<task\b[^<>]*>([^<]*)/.exec(user)?.[1] ?? user
  const found = known.answers.find((one) => task.includes(one.task))
  const repairs = /<issues>/.test(user)
  const share = repairs ? (known.wrongRepairShare ?? known.wrongShare) : known.wrongShare
  return random() < share ? found?.wrong : found?.right
}

function auditText(random: () => number, issueShare: number): string {
  if (random() >= issueShare) return '{"verdict":"pass","issues":[]}'
  const issues = [
    'an edge case is not handled',
    'a name does not say what it holds',
    'one criterion is not met',
    'an error is swallowed',
  ]
  return JSON.stringify({ verdict: 'issues', issues: [`(simulated) ${pick(random, issues)}`] })
}

function plainJson(random: () => number, task: string, wantedTokens: number): object {
  const frame = { simulated: true, task, summary: '' }
  return {
    ...frame,
    summary: proseText(random, task, Math.max(8, wantedTokens - countTokens(JSON.stringify(frame)) - 4)).replace(
      /\s+/g,
      ' ',
    ),
  }
}

/** What is in a `<task>` tag, or the last line that reads like a task: prompts begin with what is shared and end with what is asked. */
function taskOf(user: string): string {
  const tagged = /<task\b[^<>]*>\s*([^\n<]{3,400})/.exec(user)?.[1]
  return (tagged ?? lastLine(user))
    .replace(/["\\`]/g, '')
    .slice(0, 90)
    .trim()
}

function lastLine(user: string): string {
  const lines = user
    .slice(-20_000)
    .split('\n')
    .map((line) =>
      line
        .replace(/<[^<>]*>/g, '')
        .replace(/^[\s#>*\d.:-]+/, '')
        .trim(),
    )
  const line = lines
    .reverse()
    .find(
      (text) =>
        /\p{L}{3}/u.test(text) && !/^[{[]/.test(text) && !/\bJSON\b|\bcode only\b|^(?:criteria|context)\b/i.test(text),
    )
  return line ?? 'the task'
}

/** The first JSON object that looks like a schema, after the words that announce one. Tries at most 50 places: a hostile prompt stays cheap. */
function schemaInPrompt(text: string): unknown {
  const announced = Math.max(0, text.lastIndexOf('<schema'), text.lastIndexOf('JSON Schema'))
  let tries = 0
  for (
    let start = text.indexOf('{', announced);
    start >= 0 && tries < 50;
    start = text.indexOf('{', start + 1), tries++
  ) {
    const end = objectEnd(text, start)
    if (end < 0) continue
    try {
      const value = JSON.parse(text.slice(start, end)) as Record<string, unknown>
      if ('type' in value || 'properties' in value || '$schema' in value || 'anyOf' in value || '$ref' in value)
        return value
    } catch {
      // Braces of a template or of code: not a schema.
    }
  }
  return undefined
}

function objectEnd(text: string, start: number): number {
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length && at < start + 100_000; at++) {
    const mark = text[at]
    if (quoted && mark === '\\') at++
    else if (mark === '"') quoted = !quoted
    else if (!quoted && mark === '{') depth++
    else if (!quoted && mark === '}' && --depth === 0) return at + 1
  }
  return -1
}
