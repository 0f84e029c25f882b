/** A model by its address: fetched once, then used from the user's cache folder without asking again. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { readManifest } from '../model/manifest.js'
import { nameOf, pullModel } from '../model/pull.js'

const fetching = new Map<string, Promise<string>>()

/** The folder (or, for the address of an .onnx file, the file). Rejects as pullModel does. */
export async function fetchedModel(address: string, models: string, signal?: AbortSignal): Promise<string> {
  if (!URL.canParse(address)) throw new AetherflowError('host.usage', 'model', 'not an address')
  const { base, file } = parts(address)
  // Two addresses never share a folder, whatever their names are cut to.
  const name = `${nameOf(base)}-${createHash('sha256').update(address).digest('hex').slice(0, 8)}`
  const folder = join(models, name)
  if (await readManifest(folder)) return folder
  // Callers at once share the download of the first, its signal too.
  let download = fetching.get(folder)
  if (!download) {
    download = pullModel({ url: base, name, to: folder, file, signal })
      .then(() => folder)
      .finally(() => fetching.delete(folder))
    fetching.set(folder, download)
  }
  return download
}

function parts(address: string): { base: string; file: string | undefined } {
  const url = new URL(address)
  const [, folder = '', file] = /^(.*?\/)((?:onnx\/)?[^/]+\.onnx)$/.exec(url.pathname) ?? []
  if (file === undefined) return { base: address, file }
  url.pathname = folder
  return { base: url.href, file: decodeURIComponent(file) }
}
