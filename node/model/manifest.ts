/** `model.json` in a pulled model's folder: what was fetched, and the checksums to hold it against. */
import { open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../error-code.js'
import { fileSha256 } from './download.js'
import { ioError } from '../run/outputs.js'

export interface ManifestFile {
  /** Below the folder. */
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  /** The checksum was known beforehand; else it is what arrived the first time. */
  readonly known: boolean
}

export interface Manifest {
  readonly name: string
  /** The address below which the files lay. */
  readonly from: string
  readonly files: readonly ManifestFile[]
}

export interface ListedModel extends Manifest {
  readonly folder: string
  readonly bytes: number
  /** Files that are gone, or (when asked for) have another checksum by now. */
  readonly damaged: readonly string[]
}

const manifestName = 'model.json'

/** `undefined`: there is none, or it is not one. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const value = JSON.parse(await readFile(join(folder, manifestName), 'utf8')) as Partial<Manifest> & {
      format?: unknown
    }
    const { format, name, from, files } = value
    if (format !== 1 || typeof name !== 'string' || typeof from !== 'string' || !Array.isArray(files)) return undefined
    return { name, from, files: files.filter(isManifestFile) }
  } catch {
    return undefined
  }
}

/** Whole or not at all. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const path = join(folder, manifestName)
  try {
    const file = await open(`${path}.part`, 'w')
    try {
      await file.writeFile(`${JSON.stringify({ format: 1, ...manifest }, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.part`, path)
  } catch (error) {
    throw ioError(path, error)
  }
}

/** Models that were pulled into a folder of models, by name. `verify` reads every byte of them. */
export async function listModels(models: string, verify = false): Promise<ListedModel[]> {
  const listed: ListedModel[] = []
  for (const outer of await foldersIn(models)) {
    const inner = (await foldersIn(join(models, outer))).map((name) => join(outer, name))
    for (const name of [outer, ...inner]) {
      const folder = join(models, name)
      const manifest = await readManifest(folder)
      if (manifest) listed.push(await lookAt(folder, manifest, verify))
    }
  }
  return listed.sort((a, b) => (a.folder < b.folder ? -1 : 1))
}

async function lookAt(folder: string, manifest: Manifest, verify: boolean): Promise<ListedModel> {
  const damaged: string[] = []
  for (const { file, bytes, sha256 } of manifest.files) {
    const path = join(folder, file)
    const size = await stat(path).then(
      (found) => found.size,
      () => -1,
    )
    if (size !== bytes || (verify && (await fileSha256(path).catch(() => '')) !== sha256)) damaged.push(file)
  }
  return { ...manifest, folder, bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0), damaged }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw ioError(folder, error)
  }
}

/** A name that leads out of the folder is none of ours. */
function isManifestFile(value: unknown): value is ManifestFile {
  if (typeof value !== 'object' || value === null) return false
  const { file, bytes, sha256 } = value as Partial<ManifestFile>
  const inside = typeof file === 'string' && !file.startsWith('/') && !file.split(/[\\/]/).includes('..')
  return inside && typeof bytes === 'number' && typeof sha256 === 'string'
}
