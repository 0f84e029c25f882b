import type { CallObserver, ModelReply } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'
import type { PrefixRule } from './dialect.js'

/** A shorter beginning that agrees may be chance: "The" after "The". Characters. */
const shortestEcho = 16

/**
 * The answer that goes on from `prefix`, whether the provider says the prefix again or not. What might be an echo is held
 * back until it is known to be one:
 *
 *     prefix        "The lighthouse stands on"
 *     arrives       "The light" "house stands on a rock"   → told " a rock"
 *     or            " a rock"                              → told " a rock"
 */
export class Continuation {
  private held = ''
  private decided: boolean

  constructor(
    private readonly prefix: string,
    private readonly echoed: boolean,
  ) {
    this.decided = !echoed && prefix.length < shortestEcho
  }

  /** What of the piece is news. */
  take(piece: string): string {
    if (this.decided) return piece
    this.held += piece
    if (this.prefix.startsWith(this.held) && this.held.length < this.prefix.length) return ''
    return this.decide()
  }

  /** What was held back when the answer ended: of a provider that always echoes it is half of the echo, else it is news. */
  rest(): string {
    if (this.decided) return ''
    return this.echoed ? '' : this.decide()
  }

  private decide(): string {
    this.decided = true
    const { held, prefix } = this
    this.held = ''
    return held.startsWith(prefix) ? held.slice(prefix.length) : held
  }
}

/** Runs `call` with an observer that is told new text only; the reply's text is the whole answer. */
export async function continued(
  prefix: string,
  rule: PrefixRule,
  observer: CallObserver,
  call: (observer: CallObserver) => Promise<ModelReply>,
): Promise<ModelReply> {
  const continuation = new Continuation(prefix, rule.echoed === true)
  const pieces = [prefix]
  const tell = (piece: string) => {
    if (piece === '') return
    pieces.push(piece)
    observer.text?.(piece)
  }
  const reply = await call({
    started: (info) => observer.started?.(info),
    firstToken: () => observer.firstToken?.(),
    limits: (seen) => observer.limits?.(seen),
    text: (piece) => tell(continuation.take(piece)),
  })
  tell(continuation.rest())
  return { ...reply, text: pieces.join('') }
}

/** A caller's mistake: the table of providers says which of them can go on from a beginning. Nothing is sent. */
export function noPrefix(): CallFailure {
  return new CallFailure('bad_request', 'this provider cannot go on from a beginning')
}
