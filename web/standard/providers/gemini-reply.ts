import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { failureInStream, isError } from '../failure/failure.js'
import { geminiFailures } from './failures/index.js'
import { count, heartbeat, Reply, type Arrived } from './reply.js'

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
  readonly totalTokenCount?: unknown
  readonly toolUsePromptTokenCount?: unknown
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
  'MODEL_ARMOR',
])
/** Endings in a call of a tool, none of which was offered, or in what the provider itself could not read. */
const confused: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
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
    if (value === null) return heartbeat
    // The other form of the stream, and the errors in it, are lists.
    if (Array.isArray(value)) {
      const arrived = value.map((part) => this.accept(part))
      return {
        text: arrived.map(({ text }) => text).join(''),
        token: arrived.some(({ token }) => token),
        moved: arrived.some(({ moved }) => moved),
      }
    }
    const part = this.object<Part>(value)
    if (isError(part as Readonly<Record<string, unknown>>))
      throw failureInStream(part, this.safely(), this.usage, geminiFailures)
    this.usage = geminiUsage(part.usageMetadata) ?? this.usage
    const blockReason = enumWord(part.promptFeedback?.blockReason)
    if (blockReason !== undefined) throw this.blocked(`the prompt was blocked: ${blockReason}`)
    const candidate = Array.isArray(part.candidates) ? (part.candidates as readonly Candidate[])[0] : undefined
    const parts = Array.isArray(candidate?.content?.parts) ? candidate.content.parts : []
    const words = parts.map((piece) => (typeof piece?.text === 'string' ? piece.text : ''))
    // Parts marked as thought are a summary of the thinking, not the answer.
    const content = words.filter((_, at) => !parts[at]?.thought).join('')
    const text = this.add(content)
    const thought = words.reduce((sum, word) => sum + word.length, 0) - content.length
    this.think(thought)
    // A finish before more text was none: Gemini 3 has been seen to begin with one.
    this.finishWord = enumWord(candidate?.finishReason) ?? (content === '' ? this.finishWord : undefined)
    const token = words.some((word) => word !== '')
    return { text, token, moved: token || candidate !== undefined || part.usageMetadata !== undefined }
  }

  /** `[DONE]` would be a proxy's word, and says nothing of the answer; a whole reply may leave the finish out. */
  end(_done: boolean, whole = false): ModelReply {
    const word = this.finishWord ?? (whole ? 'STOP' : undefined)
    if (word === undefined) throw this.unfinished()
    // An answer that was cut off for its content does not count, however much of it arrived.
    if (blocking.has(word)) throw this.blocked(`the answer was blocked: ${word}`)
    if (confused.has(word)) throw this.failure('generation_failed', `the model stopped with ${word}`)
    const text = this.text()
    if (text.trim() === '') throw this.emptyFailure(word === 'MAX_TOKENS')
    const finish = word === 'STOP' ? 'stop' : word === 'MAX_TOKENS' ? 'length' : 'other'
    return { text, usage: this.usage, finish, ...this.reasoned() }
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
  // Thoughts have been left out of the parts, never out of the total.
  const output = Math.max(answer + reasoning, (count(raw.totalTokenCount) ?? 0) - input - toolTokens(raw))
  return { input, cached, output, reasoning }
}

/** Prompts of tools count beside the prompt; none is offered here, but a gateway may. */
function toolTokens(raw: UsageMetadata): number {
  return count(raw.toolUsePromptTokenCount) ?? 0
}

/** The name of an enumerated value; the unspecified one says nothing, and anything that is no name is not repeated. */
function enumWord(value: unknown): string | undefined {
  if (typeof value !== 'string' || !/^[A-Z][A-Z0-9_]{1,60}$/.test(value)) return undefined
  return value.endsWith('_UNSPECIFIED') ? undefined : value
}
