import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { CallFailure, type Confidential } from '../failure/failure.js'
import { afterThought, ThinkFilter } from './think-filter.js'

/** What a part brought: `text` for the reader, `token` when answer or reasoning moved. */
export interface Arrived {
  readonly text: string
  readonly token: boolean
  /** The reply moved, if only by an empty piece: a heartbeat does not. */
  readonly moved: boolean
}

/** Nothing of the reply. */
export const heartbeat: Arrived = { text: '', token: false, moved: false }

/** What a reply is read with. */
export interface ReplyOptions {
  /** Whether an answer without text is one: a completion between two halves of code may add nothing, and thinks nothing. */
  readonly mayBeBlank?: boolean
  /** The provider was asked to enforce a format, which some answer with nothing at all. */
  readonly constrained?: boolean
  /** Tools were offered: a call of one is an answer. */
  readonly tools?: boolean
}

/** Characters of reasoning that make a token, about. */
const charsOfToken = 4

/** A reply as it is put together from its parts, one event at a time or a whole body at once. One subclass per wire format. */
export abstract class Reply {
  /** The last counts that came: providers repeat them cumulatively, so they are never added up. */
  protected usage: Usage | undefined
  // Joined once at the end: appending per chunk copies the answer again and again.
  private readonly pieces: string[] = []
  private length = 0
  private readonly filter: ThinkFilter | undefined
  private thoughtChars = 0

  constructor(
    private readonly confidential: Confidential,
    protected readonly options: ReplyOptions = {},
    /** Most characters of an answer; more is `malformed`. */
    private readonly maxLength = 16 * 1024 * 1024,
  ) {
    this.filter = options.mayBeBlank ? undefined : new ThinkFilter()
  }

  /** Whether the finish signal of the format was seen. */
  abstract get finished(): boolean

  /** Throws a `CallFailure` for an error object, a blocked or too long answer, or a part that is no object. */
  abstract accept(value: unknown): Arrived

  /** The whole answer, or the `CallFailure` that its ending means. `done`: `[DONE]` was seen. `whole`: it came as one JSON. */
  abstract end(done: boolean, whole?: boolean): ModelReply

  /** Text that was held back until the end showed it to be answer. Once, before `end`. */
  rest(): string {
    const rest = this.filter?.rest() ?? ''
    if (rest !== '') this.pieces.push(rest)
    return rest
  }

  failure(kind: CallFailure['kind'], message: string): CallFailure {
    const usage = this.usage ?? this.thoughtUsage()
    return new CallFailure(kind, message, usage && { usage })
  }

  /** Takes a piece of content; what of it is answer. */
  protected add(content: string): string {
    const text = this.filter?.take(content) ?? content
    if (text !== '') this.pieces.push(text)
    if ((this.length += content.length) > this.maxLength) throw this.failure('malformed', 'the answer is too long')
    return text
  }

  /** Takes note of reasoning, of which only the length counts. */
  protected think(chars: number): void {
    this.thoughtChars += chars
  }

  protected text(): string {
    const text = this.pieces.join('')
    return this.filter === undefined ? text : afterThought(text)
  }

  /** What was thought, tokens; a member of the reply. */
  protected reasoned(): Pick<ModelReply, 'reasoned'> {
    const chars = this.thoughtChars + (this.filter?.thought ?? 0)
    return chars > 0 ? { reasoned: Math.ceil(chars / charsOfToken) } : {}
  }

  /** No text came: why, as far as the finish word and what was thought tell. */
  protected emptyFailure(cutByLimit: boolean): CallFailure {
    if (cutByLimit) return this.failure('limit_reached', 'the token limit was reached before the answer began')
    if (this.reasoned().reasoned !== undefined)
      return this.failure('generation_failed', 'all of the answer came as reasoning, none of it as content')
    return this.failure(this.options.constrained ? 'constraint_violated' : 'malformed', 'empty answer')
  }

  /** Without a count of the provider's, what streamed by is billed all the same. */
  private thoughtUsage(): Usage | undefined {
    const { reasoned } = this.reasoned()
    return reasoned === undefined ? undefined : { input: 0, cached: 0, output: reasoned, reasoning: reasoned }
  }

  protected unfinished(): CallFailure {
    return this.failure('truncated', 'the stream ended without a finish signal')
  }

  protected blocked(why = 'the model refused to answer'): CallFailure {
    return this.failure('content_blocked', why)
  }

  /** The part as an object; anything else is no reply. */
  protected object<Part>(value: unknown): Part {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.failure('malformed', 'the reply is not an object')
    return value as Part
  }

  /** What an error text must not quote: the prompt, and what has come of the answer. */
  protected safely(): Confidential {
    return { secrets: this.confidential.secrets, payloads: [...this.confidential.payloads, this.text()] }
  }
}

/** A token count, or `undefined` for anything that counts nothing. */
export function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}
