/** Refusals for the size of the answer's limit: what the model takes instead, out of the provider's words. */

/** A model's window, measured once: the same texts again take as much of it. */
export class Window {
  constructor(
    private readonly tokens: number,
    private readonly input: number,
    private readonly chars: number,
  ) {}

  /** Tokens that are left for an answer to texts of `chars` characters; may be below 1. */
  room(chars: number): number {
    const input = Math.ceil(this.input * (this.chars > 0 ? chars / this.chars : 1))
    return this.tokens - input - slack
  }
}

/** Providers say "at least" of what a prompt takes. Tokens. */
const slack = 32
/** An answer in fewer tokens is hardly worth a call. */
const least = 64

/** Most tokens of any answer, as they are worded. */
const most: readonly RegExp[] = [
  /valid range of max_(?:completion_)?tokens is \[\d+, ?(\d+)\]/i,
  /at most (\d+) (?:completion|output) tokens/i,
  /\bmax(?:imum)?(?:imum allowed)?[^.]{0,80}?(?:completion|output) tokens[^\d.]{0,60}(\d+)/i,
  /max_(?:completion_|output_)?tokens`?[^\d.]{0,80}(?:less than or equal to|at most|<=|≤|maximum|exceed)[^\d.]{0,40}(\d+)/i,
  /> (\d+), which is the maximum allowed number of output tokens/i,
]

/** Window and prompt, as they are worded. */
const windows: readonly RegExp[] = [
  /context length is (\d+) tokens[\s\S]{0,80}?requested \d+ output tokens[\s\S]{0,60}?(?:at least )?(\d+) input tokens/i,
  /context length is (\d+) tokens[\s\S]{0,80}?\((\d+) in the messages, \d+ in the completion\)/i,
]

/** What will do where `asked` tokens of answer did not; `undefined`: the refusal says nothing of that, or no answer would fit. */
export function smaller(
  message: string,
  asked: number,
  chars: number,
): { readonly most: number; readonly window?: Window } | undefined {
  for (const pattern of windows) {
    const [, tokens, input] = pattern.exec(message) ?? []
    if (tokens === undefined || input === undefined) continue
    const window = new Window(Number(tokens), Number(input), chars)
    const room = window.room(chars)
    return room >= least && room < asked ? { most: room, window } : undefined
  }
  for (const pattern of most) {
    const tokens = Number(pattern.exec(message)?.[1] ?? Infinity)
    if (tokens >= least && tokens < asked) return { most: tokens }
  }
  return undefined
}
