/** A model's files by their address: fetched once, kept by the browser's Cache API, checked whenever they are read from there. */
import { AetherflowError } from '../../../bindings/errors.js'
import { sha256 } from '../../standard/embed/onnx.js'
import type { TokenizerFiles } from '../../standard/embed/pieces.js'
import { settingsOf, type ModelSettings } from '../../standard/embed/settings.js'
import { unanswered, within } from '../patience.js'

/** Bytes of one file that have arrived, of so many; 0: the server does not say. */
export type ModelProgress = (progress: {
  readonly file: string
  readonly bytes: number
  readonly total: number
}) => void

export interface ModelHooks {
  readonly progress: ModelProgress
  readonly signal: AbortSignal
  /** Told of what it goes on without. */
  readonly problem: (problem: string) => void
}

/** Name of the store of the Cache API. Anyone who opens it can read, list and delete what is there. */
export const modelCacheName = 'aetherflow-models'
/** How long the Cache API may take for one file, ms; one that takes longer is gone without. */
const keptMs = 30_000
/** How long a server may send nothing of a file, ms. */
const silentMs = 60_000
const checksumHeader = 'x-aetherflow-sha256'

/** Which of a folder's files to take: the first that is there. See node/embed/model-files.ts for why in this order. */
const modelNames = ['model_w8', 'model', 'model_quantized'].flatMap((name) => [`${name}.onnx`, `onnx/${name}.onnx`])

interface Loaded {
  readonly bytes: Uint8Array
  /** SHA-256 in hex. */
  readonly checksum: string
}

export interface FetchedModel {
  /** Of the folder. */
  readonly name: string
  readonly settings: ModelSettings
  readonly checksum: string
  readonly tokenizer: TokenizerFiles
  /** Once: they are handed over. */
  readonly bytes: Uint8Array
}

/**
 * `address`: a folder with tokenizer.json and an .onnx file, in it or in its `onnx/`; or that file. Fails: cache.download_failed when
 * something does not arrive, cache.model when a file is not part of a model, host.disposed when it was aborted.
 */
export async function fetchModel(address: string, hooks: ModelHooks): Promise<FetchedModel> {
  const url = new URL(address)
  const named = url.pathname.endsWith('.onnx')
  const folder = new URL(
    named ? (/\/onnx\/[^/]+$/.test(url.pathname) ? '..' : '.') : `${url.pathname.replace(/\/*$/, '')}/`,
    url,
  )
  const files = await ModelFiles.open(hooks)
  const model = named ? await files.load(url) : await files.first(modelNames.map((name) => new URL(name, folder)))
  if (model === undefined) throw new AetherflowError('cache.model', url.href, 'there is no .onnx file')
  const json = async (name: string): Promise<unknown> => parsed(await files.load(new URL(name, folder)), name)
  const [tokenizer, tokenizerConfig, config] = [
    await json('tokenizer.json'),
    (await json('tokenizer_config.json')) ?? {},
    await json('config.json'),
  ]
  if (!isObject(tokenizer) || !isObject(tokenizerConfig))
    throw new AetherflowError('cache.model', folder.href, 'it has no tokenizer.json')
  const name = decodeURIComponent(folder.pathname.split('/').filter(Boolean).at(-1) ?? folder.host)
  const settings = settingsOf({ config, tokenizerConfig })
  return {
    name,
    settings,
    checksum: model.checksum,
    tokenizer: { tokenizer, config: tokenizerConfig },
    bytes: model.bytes,
  }
}

class ModelFiles {
  private constructor(
    private kept: Cache | undefined,
    private readonly hooks: ModelHooks,
  ) {}

  static async open(hooks: ModelHooks): Promise<ModelFiles> {
    try {
      // Absent in pages without TLS.
      return new ModelFiles(await answered(caches.open(modelCacheName)), hooks)
    } catch (error) {
      hooks.problem(`the model is downloaded each time: the browser keeps no files here (${messageOf(error)})`)
      return new ModelFiles(undefined, hooks)
    }
  }

  /** Kept ones before any that would have to be asked for. */
  async first(urls: readonly URL[]): Promise<Loaded | undefined> {
    for (const url of urls) {
      const kept = await this.#kept(url)
      if (kept !== undefined) return kept
    }
    for (const url of urls) {
      const loaded = await this.#fetch(url)
      if (loaded !== undefined) return loaded
    }
    return undefined
  }

  /** Undefined: the server has none. */
  async load(url: URL): Promise<Loaded | undefined> {
    return (await this.#kept(url)) ?? (await this.#fetch(url))
  }

  async #kept(url: URL): Promise<Loaded | undefined> {
    const { kept } = this
    if (kept === undefined) return undefined
    try {
      const loaded = await answered(readKept(kept, url))
      if (loaded !== 'damaged') return loaded
      this.hooks.problem(`${url.href} was damaged where the browser keeps it, and is downloaded again`)
    } catch (error) {
      this.hooks.problem(`${url.href} is downloaded again: ${messageOf(error)}`)
      if (this.#gaveUp(error)) return undefined
    }
    await answered(kept.delete(url.href)).catch((error: unknown) => this.#gaveUp(error))
    return undefined
  }

  async #fetch(url: URL): Promise<Loaded | undefined> {
    const bytes = await this.#download(url)
    if (bytes === undefined) return undefined
    const checksum = await sha256(bytes)
    try {
      const headers = { [checksumHeader]: checksum, 'content-length': String(bytes.length) }
      const reply = new Response(bytes as Uint8Array<ArrayBuffer>, { headers })
      if (this.kept !== undefined) await answered(this.kept.put(url.href, reply))
    } catch (error) {
      this.#gaveUp(error)
      this.hooks.problem(`${url.href} cannot be kept, and is downloaded again next time: ${messageOf(error)}`)
    }
    return { bytes, checksum }
  }

  /** Of what hangs once, no other file waits. */
  #gaveUp(error: unknown): boolean {
    const hangs = error instanceof DOMException && error.name === 'TimeoutError'
    if (hangs) this.kept = undefined
    return hangs
  }

  async #download(url: URL): Promise<Uint8Array | undefined> {
    const { signal, progress } = this.hooks
    const file = url.pathname.split('/').at(-1) ?? ''
    const silence = new AbortController()
    const heard = <T>(work: Promise<T>): Promise<T> =>
      within(silentMs, work, () => unanswered('the server of the model', silentMs))
    const stop = (): void => silence.abort()
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      const reply = await heard(fetch(url, { signal: silence.signal, credentials: 'same-origin' }))
      if (reply.status === 404) return undefined
      if (!reply.ok) throw new AetherflowError('cache.download_failed', url.href, `the server answers ${reply.status}`)
      // Of a compressed reply the length is that of other bytes.
      const plain = reply.headers.get('content-encoding') === null
      const total = plain ? Number(reply.headers.get('content-length') ?? 0) : 0
      const parts: Uint8Array[] = []
      let bytes = 0
      progress({ file, bytes, total })
      for (
        let reader = reply.body?.getReader(), part = reader && (await heard(reader.read()));
        part?.value;
        part = reader && (await heard(reader.read()))
      ) {
        parts.push(part.value)
        bytes += part.value.length
        progress({ file, bytes, total })
      }
      if (total > 0 && bytes !== total)
        throw new AetherflowError('cache.download_failed', url.href, `${bytes} of ${total} bytes arrived`)
      return joined(parts, bytes)
    } catch (error) {
      // Whatever is still coming is given up.
      stop()
      if (signal.aborted) throw new AetherflowError('host.disposed', url.href, 'the download was aborted')
      throw error instanceof AetherflowError
        ? error
        : new AetherflowError('cache.download_failed', url.href, messageOf(error))
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }
}

const answered = <T>(work: Promise<T>): Promise<T> => within(keptMs, work, () => unanswered('the Cache API', keptMs))

async function readKept(kept: Cache, url: URL): Promise<Loaded | 'damaged' | undefined> {
  const reply = await kept.match(url.href)
  if (reply === undefined) return undefined
  const bytes = new Uint8Array(await reply.arrayBuffer())
  const checksum = await sha256(bytes)
  return checksum === reply.headers.get(checksumHeader) ? { bytes, checksum } : 'damaged'
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function parsed(file: Loaded | undefined, name: string): unknown {
  if (file === undefined) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(file.bytes))
  } catch {
    throw new AetherflowError('cache.model', name, 'it is not JSON')
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
