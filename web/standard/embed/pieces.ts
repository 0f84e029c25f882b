/** Texts to word pieces, by the model's own tokenizer. */
import { modelError, text as messageOf } from './runtime.js'

/** A model's `tokenizer.json` and `tokenizer_config.json`, parsed. */
export interface TokenizerFiles {
  readonly tokenizer: object
  readonly config: object
}

/** Ids with the special ones ([CLS], [SEP]), of the whole text however long it is. */
export type Tokenise = (text: string) => readonly number[]

/** Fails with cache.model when the files are not a tokenizer's. Truncation and padding that the file names are not applied. */
export async function makeTokeniser({ tokenizer, config }: TokenizerFiles): Promise<Tokenise> {
  // Loaded with the first model: anyone who embeds nothing does not pay for it.
  const { Tokenizer } = await import('@huggingface/tokenizers')
  try {
    const made = new Tokenizer(tokenizer, config)
    // A file of something else may be taken in silence; it shows with the first text.
    if (made.encode('a').ids.length === 0) throw new Error('it finds no piece in a text')
    return (text) => made.encode(text).ids
  } catch (error) {
    throw modelError(`its tokenizer.json cannot be used: ${messageOf(error)}`)
  }
}

/**
 * Characters for each piece of the window beyond which a text is taken for too long unseen. Nothing follows from a length alone
 * (a thousand spaces are no piece, a word of more than 100 letters is one), but prose has 4–6 a piece and indented code below 12.
 * The tokenizer is quadratic in the length of a word: tests/bench/embed-speed.mjs prints what the worst text that passes costs,
 * 120 ms where that was written. So this bounds what a hostile text can do to the thread that hears the streams.
 */
export const charactersAPiece = 16

/** `undefined`: more pieces than the window. A prefix is never embedded: the end may say the opposite. */
export function piecesWithin(tokenise: Tokenise, text: string, window: number): Int32Array | undefined {
  if (text.length > window * charactersAPiece) return undefined
  const ids = tokenise(text)
  return ids.length > window ? undefined : Int32Array.from(ids)
}
