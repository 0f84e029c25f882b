/** What a model's own files say about how it is to be used. */
import { modelError } from './runtime.js'

/** Parsed files of a model's folder; absent ones left out. */
export interface ModelFiles {
  /** config.json */
  readonly config?: unknown
  /** tokenizer_config.json */
  readonly tokenizerConfig?: unknown
  /** sentence_bert_config.json */
  readonly sentenceConfig?: unknown
  /** 1_Pooling/config.json */
  readonly pooling?: unknown
}

export interface ModelSettings {
  /** Most pieces of one text, special ones included. */
  readonly window: number
  /** `undefined`: only the model's first output tells. */
  readonly dimensions: number | undefined
}

/**
 * The window that sentence encoders of this family were trained with. More is read only when the model's own files name it:
 * `model_max_length` and `max_position_embeddings` say what it can take (512), not what it was taught (256).
 */
export const usualWindow = 256

/** Fails with cache.model when the model wants another pooling than the mean. */
export function settingsOf({ config, tokenizerConfig, sentenceConfig, pooling }: ModelFiles): ModelSettings {
  const other = Object.entries(isObject(pooling) ? pooling : {}).find(
    ([key, on]) => key.startsWith('pooling_mode_') && key !== 'pooling_mode_mean_tokens' && on === true,
  )
  if (other) throw modelError(`it wants ${other[0]}; only mean pooling is built in`)
  const positions = count(config, 'max_position_embeddings')
  const stated = count(sentenceConfig, 'max_seq_length')
  const allowed = [
    stated ?? usualWindow,
    positions,
    stated === undefined ? count(tokenizerConfig, 'model_max_length') : undefined,
  ]
  return {
    window: Math.min(...allowed.filter((value) => value !== undefined)),
    dimensions: count(config, 'hidden_size') ?? count(pooling, 'word_embedding_dimension'),
  }
}

/** A whole number above zero that is a member; some files say 1e30 for "no limit". */
function count(value: unknown, key: string): number | undefined {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
  return Number.isSafeInteger(found) && (found as number) > 0 ? (found as number) : undefined
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
