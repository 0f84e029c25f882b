/** `pullModel`: the files of a model from a hub, a mirror or any server, into the user's cache folder. */
import { basename, join, resolve } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { defaultModel, knownModels, type KnownFile } from './catalogue.js'
import { download, fileSha256, type Downloaded } from './download.js'
import { makeFolder } from '../make-folder.js'
import { modelsFolder, type Environment } from '../folders.js'
import { HttpClient, type HttpToken } from './http.js'
import { PullLock } from './lock.js'
import { readManifest, writeManifest, type ManifestFile } from './manifest.js'
import { ioError } from '../run/outputs.js'

export interface PullOptions {
  /** Of the catalogue, `owner/name` of a hub, or with `url` any name; default all-MiniLM-L6-v2. */
  readonly name?: string | undefined
  /** Address that the files lie below; default: the hub's. */
  readonly url?: string | undefined
  /** Folder; default: named after the model, in `modelsFolder`. */
  readonly to?: string | undefined
  /** The .onnx file below the address; default: of the catalogue, else the first there is of onnx/model.onnx, model.onnx, … */
  readonly file?: string | undefined
  /** HF_ENDPOINT, HF_TOKEN, XDG_CACHE_HOME; default: the process's own. */
  readonly env?: Environment | undefined
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: PullEvent) => void) | undefined
  /** See download. */
  readonly pauseMs?: number | undefined
}

export type PullEvent =
  | { readonly type: 'bytes'; readonly file: string; readonly received: number; readonly total: number }
  | { readonly type: 'retry'; readonly file: string; readonly detail: string; readonly waitMs: number }
  | {
      readonly type: 'file'
      readonly file: string
      readonly bytes: number
      readonly sha256: string
      /** The checksum is one that was known beforehand. */
      readonly verified: boolean
      /** It was there already. */
      readonly kept: boolean
    }

export interface PulledModel {
  readonly name: string
  /** Absolute. */
  readonly folder: string
  readonly files: readonly ManifestFile[]
}

/** What to fetch, from where. */
export interface PullPlan {
  readonly name: string
  readonly base: string
  readonly folder: string
  readonly known: readonly KnownFile[]
  readonly file: string | undefined
}

/** Nothing but a model needs more. */
const mostTextBytes = 64 * 2 ** 20
const mostModelBytes = 4 * 2 ** 30
const hub = 'https://huggingface.co'

/** Without them the model is used as sentence encoders usually are. */
const optionalFiles = ['config.json', 'tokenizer_config.json', 'sentence_bert_config.json', '1_Pooling/config.json']
/** In the order of `modelFiles`; the last is what many repositories have alone. */
const usualModels = ['onnx/model.onnx', 'model.onnx', 'onnx/model_fp16.onnx', 'onnx/model_quantized.onnx']

/**
 * Resolves when every file is there, flushed and verified. Files that are there already and have the right checksum are kept.
 * Rejects: cache.download_failed, host.io_failed, host.usage; with the signal's reason, and then the next call continues where it ended.
 */
export async function pullModel(options: PullOptions = {}): Promise<PulledModel> {
  const { env = process.env } = options
  const plan = pullPlan(options, env)
  try {
    await makeFolder(plan.folder)
  } catch (error) {
    throw ioError(plan.folder, error)
  }
  const lock = await PullLock.acquire(plan.folder)
  const client = new HttpClient(tokenOf(env))
  try {
    const files = await pullFiles(plan, options, client)
    await writeManifest(plan.folder, { name: plan.name, from: plan.base, files })
    return { name: plan.name, folder: plan.folder, files }
  } finally {
    await client.close()
    await lock.release()
  }
}

export function pullPlan({ name, url, to, file }: PullOptions, env: Environment): PullPlan {
  const wanted = name ?? (url === undefined ? defaultModel : nameOf(url))
  if (!isModelName(wanted))
    throw new AetherflowError('host.usage', wanted, 'a model is named by letters, digits, . _ - and at most one /')
  const known = knownModels.find((model) => model.name === wanted)
  const endpoint = hubOf(env)
  const repository = known === undefined ? `${wanted}/resolve/main/` : `${known.repository}/resolve/${known.revision}/`
  if (url === undefined && known === undefined && !wanted.includes('/')) {
    const names = knownModels.map((model) => model.name).join(', ')
    throw new AetherflowError('host.usage', wanted, `known are ${names}; others as owner/name, or with --url`)
  }
  return {
    name: wanted,
    base: baseOf(url ?? `${endpoint}/${repository}`),
    folder: to === undefined ? join(modelsFolder(env), wanted) : resolve(to),
    known: known?.files ?? [],
    file,
  }
}

/** A name that is also a path below the models' folder, and never leads out of it. */
export const isModelName = (name: string): boolean => /^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/.test(name)

async function pullFiles(plan: PullPlan, options: PullOptions, client: HttpClient): Promise<ManifestFile[]> {
  const earlier = await readManifest(plan.folder)
  const one = async (path: string): Promise<ManifestFile | undefined> => {
    const file = path.startsWith('onnx/') ? basename(path) : path
    const target = join(plan.folder, file)
    const known = plan.known.find((each) => each.path === path)
    const before = earlier?.from === plan.base ? earlier.files.find((each) => each.file === file) : undefined
    const kept = await intact(target, known ?? before)
    const got = kept ?? (await fetchOne(plan, path, { file, target, known }, options, client))
    if (got === undefined) return undefined
    options.onEvent?.({ type: 'file', file, ...got, verified: known !== undefined, kept: kept !== undefined })
    return { file, ...got, known: known !== undefined }
  }
  const required = async (path: string): Promise<ManifestFile> => {
    const found = await one(path)
    if (found === undefined) throw absent(plan.base, path)
    return found
  }
  const files: ManifestFile[] = []
  const texts = plan.known.map(({ path }) => path).filter((path) => !path.endsWith('.onnx'))
  if (texts.length > 0) for (const path of texts) files.push(await required(path))
  else {
    files.push(await required('tokenizer.json'))
    for (const path of optionalFiles) files.push(...[await one(path)].filter((file) => file !== undefined))
  }
  files.push(await modelFile(plan, one))
  return files
}

/** The model itself, the last: a folder without it is seen to be unfinished. */
async function modelFile(
  plan: PullPlan,
  one: (path: string) => Promise<ManifestFile | undefined>,
): Promise<ManifestFile> {
  const known = plan.known.find(({ path }) => path.endsWith('.onnx'))?.path
  const given =
    plan.file === undefined ? undefined : [plan.file, ...(plan.file.includes('/') ? [] : [`onnx/${plan.file}`])]
  const tried = given ?? (known === undefined ? usualModels : [known])
  for (const path of tried) {
    if (!path.endsWith('.onnx') || path.split('/').includes('..'))
      throw new AetherflowError('host.usage', path, 'the file of a model ends in .onnx')
    const found = await one(path)
    if (found !== undefined) return found
  }
  throw absent(plan.base, tried.join(', '))
}

interface Target {
  readonly file: string
  readonly target: string
  readonly known: KnownFile | undefined
}

async function fetchOne(
  plan: PullPlan,
  path: string,
  { file, target, known }: Target,
  { signal, onEvent, pauseMs }: PullOptions,
  client: HttpClient,
): Promise<Downloaded | undefined> {
  signal?.throwIfAborted()
  const mostBytes = path.endsWith('.onnx') ? mostModelBytes : mostTextBytes
  const url = new URL(plan.base)
  url.pathname += path
  return download(
    { url: url.href, file: target, expected: known, mostBytes },
    {
      client,
      signal,
      pauseMs,
      onBytes: (received, total) => onEvent?.({ type: 'bytes', file, received, total }),
      onRetry: (detail, waitMs) => onEvent?.({ type: 'retry', file, detail, waitMs }),
    },
  )
}

/** Its size and checksum, when the file is there and has those that are expected. */
async function intact(path: string, expected: Downloaded | undefined): Promise<Downloaded | undefined> {
  if (expected === undefined) return undefined
  const sha256 = await fileSha256(path).catch(() => '')
  return sha256 === expected.sha256 ? { bytes: expected.bytes, sha256 } : undefined
}

/** Ends in a slash. A repository's page on a hub stands for its files. */
function baseOf(address: string): string {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new AetherflowError('host.usage', 'url', 'an http or https address')
  const url = new URL(address)
  url.hash = ''
  const page = url.origin === hub ? /^\/([\w.-]+\/[\w.-]+)\/?$/.exec(url.pathname)?.[1] : undefined
  url.pathname = page === undefined ? url.pathname.replace(/\/*$/, '/') : `/${page}/resolve/main/`
  return url.href
}

/** Of an address: `owner/name` of a hub's repository, else its host and its last folder. */
export function nameOf(address: string): string {
  if (!URL.canParse(address)) throw new AetherflowError('host.usage', 'url', 'an http or https address')
  const { hostname, pathname } = new URL(address)
  const parts = pathname
    .replace(/\/resolve\/.*$/, '')
    .split('/')
    .filter(Boolean)
  const clean = (text: string): string =>
    text
      .replace(/[^\w.-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 80) || 'model'
  const [owner = hostname, name = 'model'] =
    parts.length > 1 && pathname.includes('/resolve/') ? parts.slice(-2) : [hostname, parts.at(-1)]
  return `${clean(owner)}/${clean(name)}`
}

const hubOf = (env: Environment): string => (env['HF_ENDPOINT'] || hub).replace(/\/+$/, '')

/** Only for the hub that it is a token of, and never in the clear. */
function tokenOf(env: Environment): HttpToken | undefined {
  const token = env['HF_TOKEN']
  const endpoint = hubOf(env)
  if (!token || !URL.canParse(endpoint)) return undefined
  const { origin, protocol, hostname } = new URL(endpoint)
  const safe = protocol === 'https:' || ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  return safe ? { origin, token } : undefined
}

const absent = (base: string, path: string): AetherflowError =>
  new AetherflowError('cache.download_failed', base.replace(/\?.*$/, ''), `it has no ${path}`)
