/** `aetherflow index` and `aetherflow docs`: what a project knows, with the places where it stands. */
import { resolve } from 'node:path'
import { formatCount, formatDuration, oneLine, plural, visibleText } from '../../../web/standard/format.js'
import type { DocsBase } from '../../../web/standard/documents/documents.js'
import type { UpdateProgress, UpdateResult } from '../../../web/standard/documents/options.js'
import { indexFolder, openDocs } from '../../documents/open.js'
import { paint } from '../colour.js'
import { FolderWatch } from '../folder-watch.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'

export interface IndexFlags {
  readonly keep?: string
  readonly model?: string
  readonly watch?: true
  readonly json?: true
}
export interface DocsFlags extends IndexFlags {
  readonly dir?: string
  readonly tokens?: number
  readonly path?: string[]
}

const writeJson = (host: Host, value: unknown): void =>
  void host.stdout.write(`${asciiControls(JSON.stringify(value))}\n`)

const open = (dir: string, flags: IndexFlags, host: Host): Promise<DocsBase> =>
  openDocs({ dir, keep: flags.keep ?? indexFolder(dir, host.env), model: flags.model, update: false })

export async function index(dir: string, flags: IndexFlags, host: Host): Promise<ExitCode> {
  const docs = await open(dir, flags, host)
  // Watched before it is read: what changes meanwhile is read again.
  const changes = flags.watch === true ? await FolderWatch.open(dir, host.signal) : undefined
  try {
    if (docs.damage !== undefined) host.stderr.write(`${docs.damage}\n`)
    do await bringUpToDate(docs, dir, flags, host)
    while ((await changes?.next()) === true)
    return host.signal.aborted ? exitCodes.interrupted : exitCodes.ok
  } catch (error) {
    if (!host.signal.aborted) throw error
    return exitCodes.interrupted
  } finally {
    changes?.close()
    await docs.close()
  }
}

async function bringUpToDate(docs: DocsBase, dir: string, flags: IndexFlags, host: Host): Promise<void> {
  const live = new Line(host)
  const result = await docs.update({ signal: host.signal, onProgress: (at) => live.tell(at) })
  live.end()
  if (flags.json) writeJson(host, { dir: resolve(dir), ...result, ...docs.stats() })
  else host.stdout.write(`${updateLines(dir, result, docs, host).join('\n')}\n`)
}

function updateLines(dir: string, result: UpdateResult, docs: DocsBase, host: Host): string[] {
  const { files, sections, read, changed, removed, embedded, skipped, ms } = result
  const { guessedOutlines, memory } = docs.stats()
  const counts = [`${formatCount(read)} read`, `${formatCount(changed)} changed`, `${formatCount(removed)} gone`]
  if (embedded > 0) counts.push(`${plural(embedded, 'section')} embedded`)
  const lines = [
    `${paint(host.stdout, host.env).bold(oneLine(dir))} ${plural(files, 'file')}, ${plural(sections, 'section')}` +
      ` (${counts.join(', ')}) in ${formatDuration(ms)}, ${(memory / 2 ** 20).toFixed(1)} MB`,
  ]
  if (guessedOutlines > 0)
    lines.push(`  ${plural(guessedOutlines, 'program')} without a grammar: their outlines are guessed by indentation`)
  for (const { path, reason } of skipped.slice(0, 10)) lines.push(`  left out (${reason}): ${oneLine(path)}`)
  if (skipped.length > 10) lines.push(`  … ${formatCount(skipped.length - 10)} more left out: --json`)
  return lines
}

export async function docs(question: string, flags: DocsFlags, host: Host): Promise<ExitCode> {
  const dir = flags.dir ?? '.'
  const opened = await open(dir, flags, host)
  try {
    const live = new Line(host)
    await opened.update({ signal: host.signal, onProgress: (at) => live.tell(at) })
    live.end()
    const found = await opened.retrieve(question, { tokens: flags.tokens, paths: flags.path })
    if (flags.json) writeJson(host, { question, ...found })
    else host.stdout.write(foundText(found, host))
    return found.parts.length > 0 ? exitCodes.ok : exitCodes.failed
  } finally {
    await opened.close()
  }
}

function foundText(
  { parts, tokens, confidence, abstained, ms }: Awaited<ReturnType<DocsBase['retrieve']>>,
  host: Host,
): string {
  const colours = paint(host.stdout, host.env)
  if (abstained === 'nothing') return 'nothing of it stands in the documents\n'
  if (abstained === 'unsure')
    return `nothing is found that answers it with confidence (${confidence.toFixed(2)}): ask in the documents' own words\n`
  const blocks = parts.map(
    ({ reference, whole, text, confidence: trust }) =>
      `${colours.bold(oneLine(reference))}${colours.dim(`${trust > 0 ? ` ${trust.toFixed(2)}` : ''}${whole ? '' : ', in part'}`)}\n` +
      `${visibleText(text).trimEnd()}\n`,
  )
  const summary = `${plural(parts.length, 'section')}, about ${formatCount(tokens)} tokens, confidence ${confidence.toFixed(2)}, ${formatDuration(ms)}`
  return `${blocks.join('\n')}\n${colours.dim(summary)}\n`
}

/** One line that changes, on a terminal alone. */
class Line {
  readonly #host: Host
  #told = -Infinity
  #any = false

  constructor(host: Host) {
    this.#host = host
  }
  tell({ files, of, embedded, toEmbed }: UpdateProgress): void {
    const { stderr, clock } = this.#host
    const now = clock.now()
    if (stderr.isTTY !== true || now - this.#told < 100) return
    this.#told = now
    this.#any = true
    const words =
      toEmbed > 0 ? `${embedded} of ${plural(toEmbed, 'section')} embedded` : `${files} of ${plural(of, 'file')}`
    stderr.write(`\r\u001b[K${words}`)
  }
  end(): void {
    if (this.#any) this.#host.stderr.write('\r\u001b[K')
  }
}
