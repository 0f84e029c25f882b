/** A model on the disk: which of its files are used, and what they say of it. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { TokenizerFiles } from '../../web/standard/embed/pieces.js'
import { settingsOf, type ModelSettings } from '../../web/standard/embed/settings.js'
import { errorCode } from '../error-code.js'

export interface FoundModel {
  /** Of the folder that has the tokenizer. */
  readonly name: string
  readonly folder: string
  /** The .onnx file, with links followed: two ways to one file are one model. */
  readonly file: string
  /** What changes when the file does. */
  readonly identity: string
  readonly settings: ModelSettings
}

/**
 * Which of a folder's files to take, by what they do to a cache's decision (the two 8-bit ones measured by
 * tests/bench/embed-speed.mjs and the development pairs):
 *   model_w8         8-bit weights, f32 arithmetic: cosines within 0.009 of the f32 model's, whatever is in the batch; 23 MB
 *   model            f32: as exact as can be, as slow as model_w8, 90 MB to fetch and to load
 *   model_fp16       half the size; runtimes without f16 arithmetic convert it
 *   model_quantized  dynamic int8: up to twice as fast, but cosines are off by up to 0.053, more than lies between the
 *                    probability of a right answer and of a wrong one, and differ between processors
 */
export const modelFiles: readonly string[] = ['model_w8.onnx', 'model.onnx', 'model_fp16.onnx', 'model_quantized.onnx']

/** A folder with tokenizer.json and an .onnx file (beside it or in `onnx/`), or such a file itself. Fails: cache.model, host.io_failed. */
export async function findModel(where: string): Promise<FoundModel> {
  const path = resolve(where)
  const file = await realFile(where.endsWith('.onnx') ? path : await chooseFile(path))
  const folder = where.endsWith('.onnx') ? await folderOf(path) : path
  const [config, tokenizerConfig, sentenceConfig, pooling] = await Promise.all([
    optionalJson(folder, 'config.json'),
    optionalJson(folder, 'tokenizer_config.json'),
    optionalJson(folder, 'sentence_bert_config.json'),
    optionalJson(folder, '1_Pooling/config.json'),
  ])
  const settings = settingsOf({ config, tokenizerConfig, sentenceConfig, pooling })
  return { name: basename(folder), folder, file, identity: await identityOf(file), settings }
}

export async function readTokenizer(folder: string): Promise<TokenizerFiles> {
  const tokenizer = await optionalJson(folder, 'tokenizer.json')
  const config = (await optionalJson(folder, 'tokenizer_config.json')) ?? {}
  if (!isObject(tokenizer) || !isObject(config)) throw missing(folder, 'it has no tokenizer.json')
  return { tokenizer, config }
}

/** The file's bytes, if it is still the one that was found. */
export async function readModel({ file, identity }: FoundModel): Promise<Uint8Array> {
  try {
    const bytes = await readFile(file)
    if ((await identityOf(file)) === identity) return bytes
  } catch (error) {
    throw error instanceof AetherflowError ? error : unreadable(file, error)
  }
  // Its checksum may have been given out by now, and vectors of two files must never meet.
  throw new AetherflowError('cache.model', file, 'the file was replaced since it was opened; open it again')
}

async function chooseFile(folder: string): Promise<string> {
  const names = (await Promise.all([onnxIn(folder, ''), onnxIn(folder, 'onnx')])).flat()
  const preferred = modelFiles.flatMap((file) => [file, join('onnx', file)]).find((name) => names.includes(name))
  const chosen = preferred ?? (names.length === 1 ? names[0] : undefined)
  if (chosen !== undefined) return join(folder, chosen)
  const detail = names.length === 0 ? 'it has no .onnx file' : `name one of its files: ${names.join(', ')}`
  throw missing(folder, detail)
}

async function onnxIn(folder: string, below: string): Promise<string[]> {
  try {
    const names = await readdir(join(folder, below))
    return names.filter((name) => name.endsWith('.onnx')).map((name) => join(below, name))
  } catch (error) {
    if (below !== '') return []
    const code = errorCode(error)
    throw code === 'ENOENT' || code === 'ENOTDIR' ? missing(folder, 'no such folder') : unreadable(folder, error)
  }
}

/** The tokenizer lies beside the file, or above it: the layout of models on the hub. */
async function folderOf(file: string): Promise<string> {
  const beside = dirname(file)
  const above = dirname(beside)
  const has = async (folder: string): Promise<boolean> =>
    (await optionalStat(join(folder, 'tokenizer.json'))) !== undefined
  if (await has(beside)) return beside
  if (await has(above)) return above
  throw missing(file, 'no tokenizer.json beside it')
}

async function realFile(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    if ((await stat(real)).isFile()) return real
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw unreadable(path, error)
  }
  throw missing(path, 'no such file')
}

async function identityOf(file: string): Promise<string> {
  const { size, mtimeMs, ino, dev } = await stat(file)
  return [file, size, mtimeMs, dev, ino].join('|')
}

const optionalStat = (path: string): Promise<unknown> => stat(path).catch(() => undefined)

async function optionalJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new AetherflowError('cache.model', path, 'not JSON')
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const missing = (path: string, detail: string): AetherflowError => new AetherflowError('cache.model', path, detail)
const unreadable = (path: string, error: unknown): AetherflowError =>
  new AetherflowError('host.io_failed', path, `cannot be read: ${errorCode(error) || String(error)}`)
