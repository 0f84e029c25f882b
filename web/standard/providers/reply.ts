import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { CallFailure, type Confidential } from '../failure/failure.js'

/** What a part brought: `text` for the reader, `token` when answer or reasoning moved. */
export interface Arrived {
  readonly text: string
  readonly token: boolean
}

/** A reply as it is put together from its parts, one event at a time or a whole body at once. One subclass per wire format. */
export abstract class Reply {
  /** The last counts that came: providers repeat them cumulatively, so they are never added up. */
  protected usage: Usage | undefined
  // Joined once at the end: appending per chunk copies the answer again and again.
  private readonly pieces: string[] = []
  private length = 0

  constructor(
    private readonly confidential: Confidential,
    /** Most characters of an answer; more is `malformed`. */
    private readonly maxLength = 16 * 1024 * 1024,
  ) {}

  /** Whether the finish signal of the format was seen. */
  abstract get finished(): boolean

  /** Throws a `CallFailure` for an error object, a blocked or too long answer, or a part that is no object. */
  abstract accept(value: unknown): Arrived

  /** The whole answer, or the `CallFailure` that its ending means. `done`: `[DONE]` was seen. */
  abstract end(done: boolean): ModelReply

  failure(kind: CallFailure['kind'], message: string): CallFailure {
    return new CallFailure(kind, message, this.usage && { usage: this.usage })
  }

  protected add(text: string): void {
    if (text !== '') this.pieces.push(text)
    if ((this.length += text.length) > this.maxLength) throw this.failure('malformed', 'the answer is too long')
  }

  protected text(): string {
    return this.pieces.join('')
  }

  /** No text came: why, as far as the finish word tells. */
  protected emptyFailure(cutByLimit: boolean): CallFailure {
    return cutByLimit
      ? this.failure('truncated', 'the token limit was reached before the answer began')
      : this.failure('malformed', 'empty answer')
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
