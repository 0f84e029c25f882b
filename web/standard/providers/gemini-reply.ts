import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { failureInStream } from '../failure/failure.js'
import { geminiFailures } from './failures/index.js'
import { count, Reply, type Arrived } from './reply.js'

/** The parts of a `GenerateContentResponse` that are read. Members whose value is zero or empty are left out by the provider. */
interface Part {
  readonly error?: unknown
  readonly candidates?: readonly Candidate[]
  readonly promptFeedback?: { readonly blockReason?: unknown }
  readonly usageMetadata?: UsageMetadata
}
interface Candidate {
  readonly content?: { readonly parts?: readonly ({ readonly text?: unknown; readonly thought?: unknown } | null)[] }
  readonly finishReason?: unknown
}
interface UsageMetadata {
  readonly promptTokenCount?: unknown
  readonly candidatesTokenCount?: unknown
  readonly thoughtsTokenCount?: unknown
  readonly cachedContentTokenCount?: unknown
}

/** Endings by which the provider took the answer back, or cut it off for what it says. */
const blocking: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
])
/** Endings in a call of a tool, none of which was offered. */
const confused: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
])

/** A reply of Gemini. There is no `[DONE]`: it is whole when a finish reason came before the end of the body. */
export class GeminiReply extends Reply {
  private finishWord: string | undefined

  get finished(): boolean {
    return this.finishWord !== undefined
  }

  accept(value: unknown): Arrived {
    // The other form of the stream, and the errors in it, are lists.
    if (Array.isArray(value)) {
      const arrived = value.map((part) => this.accept(part))
      return { text: arrived.map(({ text }) => text).join(''), token: arrived.some(({ token }) => token) }
    }
    const part = this.object<Part>(value)
    if (part.error) throw failureInStream(part, this.safely(), this.usage, geminiFailures)
    this.usage = geminiUsage(part.usageMetadata) ?? this.usage
    const blockReason = enumWord(part.promptFeedback?.blockReason)
    if (blockReason !== undefined) throw this.blocked(`the prompt was blocked: ${blockReason}`)
    const candidate = Array.isArray(part.candidates) ? (part.candidates as readonly Candidate[])[0] : undefined
    const parts = Array.isArray(candidate?.content?.parts) ? candidate.content.parts : []
    const words = parts.map((piece) => (typeof piece?.text === 'string' ? piece.text : ''))
    // Parts marked as thought are a summary of the thinking, not the answer.
    const text = words.filter((_, at) => !parts[at]?.thought).join('')
    this.add(text)
    this.finishWord = enumWord(candidate?.finishReason) ?? this.finishWord
    return { text, token: words.some((word) => word !== '') }
  }

  /** `[DONE]` would be a proxy's word, and says nothing of the answer. */
  end(): ModelReply {
    const word = this.finishWord
    if (word === undefined) throw this.unfinished()
    // An answer that was cut off for its content is none, whatever came of it.
    if (blocking.has(word)) throw this.blocked(`the answer was blocked: ${word}`)
    if (confused.has(word)) throw this.failure('malformed', `the model stopped with ${word}`)
    const text = this.text()
    if (text.trim() === '') throw this.emptyFailure(word === 'MAX_TOKENS')
    const finish = word === 'STOP' ? 'stop' : word === 'MAX_TOKENS' ? 'length' : 'other'
    return { text, usage: this.usage, finish }
  }
}

/**
 * Counts in one shape, or `undefined` when there is no count of the prompt: some chunks carry only other members. What was
 * thought is counted beside the answer there, within it here.
 */
export function geminiUsage(raw: UsageMetadata | undefined): Usage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const input = count(raw.promptTokenCount)
  const answer = count(raw.candidatesTokenCount ?? 0)
  const reasoning = count(raw.thoughtsTokenCount ?? 0)
  if (input === undefined || answer === undefined || reasoning === undefined) return undefined
  const cached = Math.min(count(raw.cachedContentTokenCount) ?? 0, input)
  return { input, cached, output: answer + reasoning, reasoning }
}

/** The name of an enumerated value; the unspecified one says nothing, and anything that is no name is not repeated. */
function enumWord(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[A-Z][A-Z0-9_]{1,60}$/.test(value)) return undefined
  return value.endsWith('_UNSPECIFIED') ? undefined : value
}
