/** The index's module in a page. */
import { AetherflowError } from '../../../bindings/errors.js'
import { IndexCore, type IndexData, type RankSettings } from '../../../bindings/index/core.js'
import { createIndex } from '../../../bindings/index/glue.js'

/** Addresses. */
export interface IndexFiles {
  readonly module: string
  readonly data: string
}

/** Fails: host.io_failed. */
export async function fetched(address: string): Promise<Response> {
  try {
    const response = await fetch(address)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return response
  } catch (error) {
    throw new AetherflowError('host.io_failed', address, error instanceof Error ? error.message : String(error))
  }
}

export async function indexCore({ module, data }: IndexFiles, rank?: Partial<RankSettings>): Promise<IndexCore> {
  const [wasmBinary, words] = await Promise.all([
    fetched(module).then((response) => response.arrayBuffer()),
    fetched(data).then((response) => response.json() as Promise<IndexData>),
  ])
  return new IndexCore(await createIndex({ wasmBinary }), words, rank)
}
