/** `aetherflow model pull|list|path`: models for the semantic cache. */
import { AetherflowError } from '../../../bindings/errors.js'
import { formatCount, oneLine, plural } from '../../../web/standard/format.js'
import { modelsFolder } from '../../folders.js'
import { listModels, type ListedModel } from '../../model/manifest.js'
import { isModelName, pullModel, pullPlan, type PullEvent } from '../../model/pull.js'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { paint } from '../colour.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'
import { defaultModel } from '../../model/catalogue.js'
import { PullProgress } from './model-progress.js'

export interface PullFlags {
  readonly url?: string
  readonly to?: string
  readonly file?: string
  readonly json?: true
}
export interface ModelListFlags {
  readonly verify?: true
  readonly json?: true
}

/** What happens goes to stderr, the folder to stdout; `--json` prints every event as a line, the result last. */
export async function modelPull(name: string | undefined, flags: PullFlags, host: Host): Promise<ExitCode> {
  const { stdout, stderr, signal, env, clock } = host
  const { url, to, file } = flags
  const line = (value: object): void => void stdout.write(`${asciiControls(JSON.stringify(value))}\n`)
  const progress = new PullProgress(stderr, clock)
  const onEvent = (event: PullEvent): void => {
    if (!flags.json) progress.event(event)
    else if (event.type !== 'bytes' || progress.due(event)) line(event)
  }
  try {
    const options = { name, url, to, file, env, signal, onEvent }
    if (!flags.json) stderr.write(`${oneLine(pullPlan(options, env).base.replace(/\?.*$/, ''))}\n`)
    const pulled = await pullModel(options)
    progress.end()
    if (flags.json) line({ type: 'pulled', ...pulled })
    else stdout.write(`${pulled.folder}\n`)
    return exitCodes.ok
  } catch (error) {
    progress.end()
    if (signal.aborted) {
      stderr.write('interrupted; what has arrived is kept, and the next call goes on from there\n')
      return exitCodes.interrupted
    }
    if (flags.json) line(failureRecord(error))
    throw error
  }
}

export async function modelList({ verify, json }: ModelListFlags, host: Host): Promise<ExitCode> {
  const { stdout, env } = host
  const models = await listModels(modelsFolder(env), verify)
  const damaged = models.filter((model) => model.damaged.length > 0)
  if (json) stdout.write(`${asciiControls(JSON.stringify({ folder: modelsFolder(env), models }))}\n`)
  else if (models.length === 0) stdout.write("no models; 'aetherflow model pull' gets one\n")
  else stdout.write(`${listing(models, verify === true, host).join('\n')}\n`)
  return damaged.length > 0 ? exitCodes.failed : exitCodes.ok
}

function listing(models: readonly ListedModel[], verified: boolean, { stdout, env }: Host): string[] {
  const colours = paint(stdout, env)
  const state = ({ damaged }: ListedModel): string =>
    damaged.length > 0 ? `damaged: ${damaged.join(', ')}` : verified ? 'verified' : 'complete'
  const rows = models.map((model) => {
    const sum = model.files.find(({ file }) => file.endsWith('.onnx'))?.sha256 ?? ''
    const cells = [model.name, megabytes(model.bytes), state(model), sum.slice(0, 16), model.folder]
    return cells.map((cell) => oneLine(cell))
  })
  const [heads = '', ...lines] = alignedTable(
    ['model', 'size', 'state', 'SHA-256 of the model', 'folder'],
    rows,
    stdout.columns ?? 200,
  )
  const files = models.reduce((sum, { files }) => sum + files.length, 0)
  return [colours.dim(heads), ...lines, ...(verified ? [`${plural(files, 'file')} read and compared`] : [])]
}

/** Prints where a model lies, for scripts; without a name, where all of them lie. */
export function modelPath(name: string | undefined, host: Host): ExitCode {
  const models = modelsFolder(host.env)
  if (name !== undefined && !isModelName(name))
    throw new AetherflowError('host.usage', name, `not the name of a model, such as ${defaultModel}`)
  const path = name === undefined ? models : join(models, name)
  if (name !== undefined && !existsSync(path)) throw new AetherflowError('cache.model', path, 'not pulled')
  host.stdout.write(`${path}\n`)
  return exitCodes.ok
}

const megabytes = (bytes: number): string => `${formatCount(Math.round(bytes / 1e6))} MB`
