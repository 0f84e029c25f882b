/** The embedder over a runtime that is handed in: here one whose states are known, so that what is made of them can be told. */
import { describe, expect, test } from '@jest/globals'
import { AetherflowError } from '../../bindings/errors.js'
import { onnxEmbedder, sha256, type OnnxEmbedderOptions } from '../../web/standard/embed/onnx.js'
import { charactersAPiece } from '../../web/standard/embed/pieces.js'
import { meanPool } from '../../web/standard/embed/pool.js'
import { ortRuntime, type OrtLike, type OrtSession } from '../../web/standard/embed/runtime.js'
import { settingsOf } from '../../web/standard/embed/settings.js'

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'b', 'c', 'nan', 'zero']
/** A WordPiece tokenizer, with the truncation and padding that files carry and that must not be applied. */
const tokenizer = {
  version: '1.0',
  truncation: { max_length: 4, strategy: 'LongestFirst', stride: 0 },
  padding: { strategy: { Fixed: 4 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
  added_tokens: words.slice(0, 4).map((content, id) => ({
    id,
    content,
    special: true,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  })),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(words.map((word, id) => [word, id])),
  },
}

interface Fed {
  readonly names: readonly string[]
  readonly ids: readonly number[]
}

/** One-hot states: the pooled vector counts the words. */
class CountingRuntime {
  readonly fed: Fed[] = []
  sessions = 0
  released = 0
  inputNames = ['input_ids', 'attention_mask', 'token_type_ids']
  dims = (pieces: number): number[] => [1, pieces, words.length]
  #busy = false

  readonly ort: OrtLike = {
    Tensor: class {
      constructor(
        readonly type: string,
        readonly data: BigInt64Array,
        readonly shape: readonly number[],
      ) {}
    } as OrtLike['Tensor'],
    InferenceSession: {
      create: () => {
        this.sessions++
        return Promise.resolve(this.#session())
      },
    },
  }

  #session(): OrtSession {
    return {
      inputNames: this.inputNames,
      outputNames: ['last_hidden_state'],
      run: async (feeds) => {
        if (this.#busy) throw new Error('two at once')
        this.#busy = true
        await new Promise((resolve) => setTimeout(resolve, 1))
        this.#busy = false
        const ids = Array.from((feeds['input_ids'] as { data: BigInt64Array }).data, Number)
        this.fed.push({ names: Object.keys(feeds), ids })
        const data = new Float32Array(ids.length * words.length)
        for (const [at, id] of ids.entries()) data[at * words.length + id] = id === 7 ? NaN : 1
        if (ids.includes(8)) data.fill(0)
        return { last_hidden_state: { data, dims: this.dims(ids.length) } }
      },
      release: () => Promise.resolve(void this.released++),
    }
  }
}

function embedder(runtime: CountingRuntime, more: Partial<OnnxEmbedderOptions> = {}) {
  return onnxEmbedder({
    name: 'counting',
    model: () => Promise.resolve(new Uint8Array([1, 2, 3])),
    tokenizer: () => Promise.resolve({ tokenizer, config: {} }),
    runtime: () => Promise.resolve(ortRuntime(runtime.ort, 'counting')),
    ...more,
  })
}
const code = (error: unknown): string => (error instanceof AetherflowError ? error.code : String(error))
const failure = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'resolved', code)

describe('an embedder', () => {
  test('tokenises, runs and pools to unit length; nothing is loaded before the first text', async () => {
    const runtime = new CountingRuntime()
    const own = embedder(runtime)
    expect([runtime.sessions, own.dimensions, own.runtime]).toEqual([0, 0, ''])
    const found = await own.embed('a B b')
    expect(runtime.fed.at(-1)).toEqual({ names: runtime.inputNames, ids: [2, 4, 5, 5, 3] })
    expect(found!.pieces).toBe(5)
    // Counts 1, 1, 1, 2 of [CLS], [SEP], a, b: length √7.
    const length = Math.sqrt(7)
    expect([...found!.vector]).toEqual([0, 0, 1, 1, 1, 2, 0, 0, 0].map((count) => Math.fround(count / length)))
    expect([own.dimensions, own.runtime]).toEqual([words.length, 'counting'])
  })

  test('callers at once go one after the other, and a text that waits already is run once', async () => {
    const runtime = new CountingRuntime()
    const own = embedder(runtime)
    await own.preload()
    const before = runtime.fed.length
    const texts = ['a', 'b', 'a', 'a b', 'b', 'a']
    const all = await Promise.all(texts.map((text) => own.embed(text)))
    expect(runtime.fed.length - before).toBe(3)
    expect(all[0]).toEqual(all[5])
    expect([runtime.sessions, own.dimensions]).toEqual([1, words.length])
  })

  test('a text of exactly the window is embedded whole, one piece more is not at all', async () => {
    const own = embedder(new CountingRuntime(), { window: 20 })
    expect((await own.embed('a '.repeat(18)))!.pieces).toBe(20)
    expect(await own.embed('a '.repeat(19))).toBeUndefined()
  })

  test('a text that is too long by its characters is not even tokenised', async () => {
    const own = embedder(new CountingRuntime(), { window: 20 })
    // One piece, were it read: a word of more than 100 letters is unknown.
    expect((await own.embed('a'.repeat(20 * charactersAPiece)))!.pieces).toBe(3)
    expect(await own.embed('a'.repeat(20 * charactersAPiece + 1))).toBeUndefined()
  })

  test('the pool that is handed in is the one that is used', async () => {
    const seen: number[] = []
    const pool: typeof meanPool = (states, pieces, dimensions) => {
      seen.push(states.length, pieces, dimensions)
      return Float32Array.of(0.6, 0.8)
    }
    expect((await embedder(new CountingRuntime(), { pool }).embed('a'))!.vector).toEqual(Float32Array.of(0.6, 0.8))
    expect(seen).toEqual([3 * words.length, 3, words.length])
  })

  test('the checksum is of the model’s bytes, and needs no runtime', async () => {
    const runtime = new CountingRuntime()
    const sum = await embedder(runtime).checksum()
    expect(sum).toBe('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
    expect(sum).toBe(await sha256(new Uint8Array([1, 2, 3])))
    expect(runtime.sessions).toBe(0)
  })

  test('only inputs that the model names are fed; one that no encoder has is refused', async () => {
    const runtime = new CountingRuntime()
    runtime.inputNames = ['input_ids', 'attention_mask']
    await embedder(runtime).embed('a')
    expect(runtime.fed.at(-1)!.names).toEqual(['input_ids', 'attention_mask'])
    runtime.inputNames = ['input_ids', 'pixel_values']
    expect(await failure(embedder(runtime).embed('a'))).toBe('cache.model')
  })
})

describe('an embedder that fails', () => {
  test('to load tries again with the next text', async () => {
    let tries = 0
    const own = embedder(new CountingRuntime(), {
      model: () => (tries++ === 0 ? Promise.reject(new Error('away')) : Promise.resolve(new Uint8Array())),
    })
    expect(await failure(own.embed('a'))).toBe('cache.model')
    expect((await own.embed('a'))!.pieces).toBe(3)
  })

  test('for want of a runtime says cache.runtime', async () => {
    const own = embedder(new CountingRuntime(), { runtime: () => Promise.reject(new Error('not installed')) })
    expect(await failure(own.preload())).toBe('cache.runtime')
  })

  test('by numbers without a direction gives no vector, and goes on with the next text', async () => {
    const own = embedder(new CountingRuntime())
    expect(await failure(own.embed('nan'))).toBe('cache.model')
    expect(await failure(own.embed('zero'))).toBe('cache.model')
    expect((await own.embed('a'))!.pieces).toBe(3)
  })

  test('by an output that is no state for each piece, or of other dimensions than its files say', async () => {
    const pooled = new CountingRuntime()
    pooled.dims = () => [1, words.length]
    expect(await failure(embedder(pooled).preload())).toBe('cache.model')
    const other = new CountingRuntime()
    expect(await failure(embedder(other, { dimensions: 384 }).preload())).toBe('cache.model')
    expect(other.released).toBe(1)
  })

  test('by a tokenizer of something else', async () => {
    const own = embedder(new CountingRuntime(), { tokenizer: () => Promise.resolve({ tokenizer: {}, config: {} }) })
    expect(await failure(own.preload())).toBe('cache.model')
  })

  test('when it is closed: what is under way ends, the model is given back once, then host.disposed', async () => {
    const runtime = new CountingRuntime()
    const own = embedder(runtime)
    await own.preload()
    const last = own.embed('a')
    await Promise.all([own.close(), own.close()])
    expect((await last)!.pieces).toBe(3)
    expect(runtime.released).toBe(1)
    for (const late of [own.embed('a'), own.preload(), own.checksum()])
      expect(await failure(late)).toBe('host.disposed')
  })
})

describe('what a model’s files say', () => {
  test('the window: as the files of the encoder name it, else the usual one, and never more than there are positions', () => {
    const config = { max_position_embeddings: 512, hidden_size: 384 }
    expect(settingsOf({ config })).toEqual({ window: 256, dimensions: 384 })
    expect(settingsOf({ config, sentenceConfig: { max_seq_length: 384 } }).window).toBe(384)
    expect(settingsOf({ config, sentenceConfig: { max_seq_length: 8192 } }).window).toBe(512)
    expect(settingsOf({ config: { max_position_embeddings: 128 } }).window).toBe(128)
    expect(settingsOf({ tokenizerConfig: { model_max_length: 1e30 } })).toEqual({ window: 256, dimensions: undefined })
  })

  test('a pooling that is not built in is refused', () => {
    expect(settingsOf({ pooling: { pooling_mode_mean_tokens: true, word_embedding_dimension: 8 } }).dimensions).toBe(8)
    const cls = { pooling: { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false } }
    expect(() => settingsOf(cls)).toThrow(expect.objectContaining({ code: 'cache.model' }))
  })
})
