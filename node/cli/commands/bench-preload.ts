/** `aetherflow bench preload`: what is paid once when it is paid at the start. */
import { formatCount, oneLine } from '../../../web/standard/format.js'
import { preload, type Preloaded } from '../../preload.js'
import { pulledModel } from '../cache-place.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'

export interface BenchPreloadFlags {
  readonly model?: string
  readonly json?: true
}

export async function benchPreload(flags: BenchPreloadFlags, host: Host): Promise<ExitCode> {
  const model = flags.model ?? pulledModel(host.env)
  const ready = await preload({ model: model === 'lexical' ? undefined : model })
  try {
    const { embedding, modulesMs } = ready
    if (flags.json) host.stdout.write(`${asciiControls(JSON.stringify({ embedding, modulesMs, ...ready.stats() }))}\n`)
    else host.stdout.write(`${lines(ready).join('\n')}\n`)
    return exitCodes.ok
  } finally {
    await ready.close()
  }
}

function lines({ embedding, modulesMs, embedder, stats }: Preloaded): string[] {
  const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`
  const { modelsLoaded, embeddings, connections } = stats()
  const measured =
    embedding === null
      ? ['no model: `aetherflow model pull` fetches one, --model names one']
      : [
          `first embedding   ${ms(embedding.firstMs)}  (${oneLine(embedder?.name ?? '')}, loading it included)`,
          `kept embedding    ${ms(embedding.keptMs)}`,
          `gain              ${ms(embedding.gainMs)}  (${((embedding.gainMs / embedding.firstMs) * 100).toFixed(1)} %)`,
        ]
  return [
    ...measured,
    `modules           ${ms(modulesMs)}  (runs, cache, index)`,
    `models loaded ${modelsLoaded}, embeddings kept ${formatCount(embeddings.kept)} and reused ${formatCount(embeddings.reused)},` +
      ` at most ${connections.most} connections an origin, ${connections.kept} kept, HTTP/2 ${connections.http2 ? 'where it is offered' : 'off'}`,
  ]
}
