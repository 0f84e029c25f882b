/**
 * One file, fetched so that nothing has to come twice:
 *
 *     file.part       what has arrived
 *     file.part.json  {"url":"…","etag":"\"…\""}: of what it is the beginning
 *
 * The file itself appears whole, verified and flushed, or not at all. A beginning is resumed (Range, If-Range) when the server
 * still has the same file; one that does not say, or answers with all of it, is started over.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { AetherflowError } from '../../bindings/errors.js'
import { retryAfterMs } from '../../web/standard/failure/retry-after.js'
import { errorCode } from '../error-code.js'
import type { HttpClient, HttpReply } from './http.js'
import { makeFolder } from '../make-folder.js'

export interface DownloadJob {
  readonly url: string
  readonly file: string
  /** What it must be, where that is known. */
  readonly expected?: { readonly bytes: number; readonly sha256: string } | undefined
  /** More is refused. */
  readonly mostBytes: number
}

export interface DownloadTools {
  readonly client: HttpClient
  readonly signal?: AbortSignal | undefined
  /** `total`: 0 while unknown. */
  readonly onBytes?: ((received: number, total: number) => void) | undefined
  readonly onRetry?: ((detail: string, waitMs: number) => void) | undefined
  /** Before the second try; doubles up to 30 s. Default 500 ms. */
  readonly pauseMs?: number | undefined
}

export interface Downloaded {
  readonly bytes: number
  readonly sha256: string
}

/** Tries in a row that bring nothing. */
const mostFruitless = 5
const longestPauseMs = 30_000
/** A server that wants to be left alone for longer is told of, not waited for. */
const longestRetryAfterMs = 120_000

/** Another try may succeed. */
class TransientError extends Error {
  constructor(
    message: string,
    readonly afterMs?: number,
  ) {
    super(message)
  }
}

/** `undefined`: the server has no such file. Rejects: cache.download_failed, host.io_failed; with the signal's reason when it is aborted. */
export async function download(job: DownloadJob, tools: DownloadTools): Promise<Downloaded | undefined> {
  let fruitless = 0
  for (;;) {
    const before = await sizeOf(partOf(job))
    try {
      if (!(await attempt(job, tools))) return undefined
      return await finish(job)
    } catch (error) {
      tools.signal?.throwIfAborted()
      if (!(error instanceof TransientError)) throw error
      fruitless = (await sizeOf(partOf(job))) > before ? 1 : fruitless + 1
      const pauseMs = error.afterMs ?? Math.min((tools.pauseMs ?? 500) * 2 ** (fruitless - 1), longestPauseMs)
      if (fruitless > mostFruitless || pauseMs > longestRetryAfterMs) throw failed(job, wordsOf(error))
      tools.onRetry?.(error.message, pauseMs)
      await wait(pauseMs, undefined, tools.signal ? { signal: tools.signal } : {}).catch(() =>
        tools.signal?.throwIfAborted(),
      )
    }
  }
}

const wordsOf = ({ message, afterMs }: TransientError): string =>
  afterMs === undefined ? message : `${message}; it asks to come back in ${Math.ceil(afterMs / 1000)} s`

/** False: there is no such file. */
async function attempt(job: DownloadJob, { client, signal, onBytes }: DownloadTools): Promise<boolean> {
  const begun = await beginning(job)
  const asked =
    begun.bytes > 0 ? { range: `bytes=${begun.bytes}-`, ...(begun.etag ? { 'if-range': begun.etag } : {}) } : {}
  const reply = await client.get(job.url, asked, signal).catch((error: unknown) => {
    throw error instanceof AetherflowError ? error : new TransientError(textOf(error))
  })
  try {
    if (reply.status === 404 || reply.status === 410) return false
    if (reply.status === 416) {
      await forget(job)
      throw new TransientError('the beginning does not fit the file any more')
    }
    refuseStatus(job, reply)
    await store(job, reply, reply.status === 206 ? begun : { bytes: 0, etag: '' }, onBytes)
    return true
  } finally {
    if (!reply.body.readableEnded) reply.body.destroy()
  }
}

function refuseStatus(job: DownloadJob, { status, header }: HttpReply): void {
  if (status === 200 || status === 206) return
  const detail = `the server answered ${status}`
  if (status === 408 || status === 429 || status >= 500) {
    const headers = { get: header }
    throw new TransientError(detail, retryAfterMs({ headers, message: '', type: '', nowMs: Date.now() }))
  }
  throw failed(job, status === 401 || status === 403 ? `${detail}: a private model needs HF_TOKEN` : detail)
}

interface Beginning {
  readonly bytes: number
  readonly etag: string
}

async function beginning(job: DownloadJob): Promise<Beginning> {
  const bytes = await sizeOf(partOf(job))
  const known = bytes > 0 ? await readNote(job) : undefined
  // Without a mark of the file's version only a known checksum shows whether two halves belong together.
  const usable = known?.url === job.url && (known.etag !== '' || job.expected !== undefined)
  const fits = bytes < (job.expected?.bytes ?? Infinity)
  return usable && fits ? { bytes, etag: known.etag } : { bytes: 0, etag: '' }
}

async function store(
  job: DownloadJob,
  reply: HttpReply,
  begun: Beginning,
  onBytes: DownloadTools['onBytes'],
): Promise<void> {
  const { from, total } = rangeOf(reply)
  // A weak mark (W/…) does not promise the same bytes.
  const mark = reply.header('etag') ?? ''
  const etag = mark.startsWith('"') ? mark : ''
  if (from !== begun.bytes || (begun.etag !== '' && mark !== '' && mark !== begun.etag)) {
    await forget(job)
    throw new TransientError('the file changed meanwhile')
  }
  if (job.expected && total > 0 && total !== job.expected.bytes) {
    await forget(job)
    throw failed(job, `expected ${job.expected.bytes} bytes, got ${total}`)
  }
  if (total > job.mostBytes) throw failed(job, `larger than ${job.mostBytes} bytes`)
  const note = JSON.stringify({ url: job.url, etag: etag || begun.etag })
  const file = await disk(job, async () => {
    await makeFolder(dirname(job.file))
    // The note first: a beginning without one is started over, one with another's is a wrong file.
    if (from === 0) await rm(partOf(job), { force: true })
    await writeFile(noteOf(job), note)
    return open(partOf(job), from === 0 ? 'w' : 'a')
  })
  try {
    await copy(job, reply, file, { from, total, onBytes })
    await disk(job, () => file.sync())
  } finally {
    await file.close().catch(() => {})
  }
}

interface Span {
  readonly from: number
  readonly total: number
  readonly onBytes: DownloadTools['onBytes']
}

async function copy(
  job: DownloadJob,
  { body }: HttpReply,
  file: FileHandle,
  { from, total, onBytes }: Span,
): Promise<void> {
  let received = from
  onBytes?.(received, total)
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      received += piece.byteLength
      if (received > Math.min(job.mostBytes, job.expected?.bytes ?? Infinity)) {
        await forget(job)
        throw failed(job, `more than the ${job.expected?.bytes ?? job.mostBytes} bytes expected`)
      }
      await disk(job, () => file.writeFile(piece))
      onBytes?.(received, total)
    }
  } catch (error) {
    throw error instanceof AetherflowError ? error : new TransientError(textOf(error))
  }
  if (received < total) throw new TransientError(`the connection ended after ${received} of ${total} bytes`)
}

/** First byte, and how long the whole file is; 0 when that is not told. */
function rangeOf({ status, header }: HttpReply): { from: number; total: number } {
  if (status !== 206) return { from: 0, total: Number(header('content-length') ?? 0) || 0 }
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(header('content-range') ?? '') ?? []
  return { from: Number(from ?? NaN), total: Number(total) || 0 }
}

async function finish(job: DownloadJob): Promise<Downloaded> {
  const { expected, file } = job
  const part = partOf(job)
  const got = await disk(job, async () => ({ bytes: await sizeOf(part), sha256: await fileSha256(part) }))
  if (expected && (got.sha256 !== expected.sha256 || got.bytes !== expected.bytes)) {
    await forget(job)
    const detail = `expected SHA-256 ${expected.sha256} (${expected.bytes} bytes), got ${got.sha256} (${got.bytes} bytes)`
    throw failed(job, `${detail}; what arrived was removed`)
  }
  await disk(job, async () => {
    await rename(part, file)
    await rm(noteOf(job), { force: true })
  })
  return got
}

/** In hex. Rejects as the file system does. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece as Uint8Array)
  return hash.digest('hex')
}

async function readNote(job: DownloadJob): Promise<{ url: string; etag: string } | undefined> {
  try {
    const { url, etag } = JSON.parse(await readFile(noteOf(job), 'utf8')) as Record<string, unknown>
    return typeof url === 'string' && typeof etag === 'string' ? { url, etag } : undefined
  } catch {
    return undefined
  }
}

async function forget(job: DownloadJob): Promise<void> {
  await rm(partOf(job), { force: true })
  await rm(noteOf(job), { force: true })
}

const partOf = ({ file }: DownloadJob): string => `${file}.part`
const noteOf = ({ file }: DownloadJob): string => `${file}.part.json`
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  )

async function disk<T>(job: DownloadJob, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new AetherflowError('host.io_failed', job.file, `cannot be written: ${errorCode(error) || textOf(error)}`)
  }
}

const failed = ({ url }: DownloadJob, detail: string): AetherflowError =>
  new AetherflowError('cache.download_failed', bare(url), detail)
const textOf = (error: unknown): string => (error instanceof Error ? error.message || errorCode(error) : String(error))

/** Without what may be secret in an address: a password, a signature. */
export function bare(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
