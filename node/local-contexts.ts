/** What hosts that people run themselves say of the context of their models, before anything is planned with it. */
import type { Fetch } from '../bindings/ports.js'
import type { Config, ModelConfig, ProviderEntry } from '../web/standard/config.js'
import { tellsContext, toldContext } from '../web/standard/providers/local-context.js'

export interface LocalContext {
  readonly provider: string
  readonly model: string
  /** Tokens of prompt and answer together, as the host says. */
  readonly tokens: number
}

/** Asks all hosts of a preset at once; those that do not answer within two seconds are left out. Generates nothing. Never rejects. */
export async function localContexts(
  { providers = {} }: Config,
  entries: readonly ProviderEntry[],
  fetch: Fetch = globalThis.fetch,
): Promise<LocalContext[]> {
  const asked = entries.flatMap(({ id, key, baseUrl, preset }) => {
    if (key === undefined || !tellsContext(preset)) return []
    const config = { fetch, baseUrl, key: () => key, keyless: key === '' }
    return Object.keys(providers[id]?.models ?? {}).map(async (model) => {
      const tokens = await toldContext(config, preset, model)
      return tokens === undefined ? [] : [{ provider: id, model, tokens }]
    })
  })
  return (await Promise.all(asked)).flat()
}

/** The configuration with what the hosts say: in the place of what a preset assumed, and below what a user has declared. */
export function withContexts(config: Config, told: readonly LocalContext[]): Config {
  const providers = { ...config.providers }
  for (const { provider, model, tokens } of told) {
    const { contextAssumed, ...about }: ModelConfig = providers[provider]?.models?.[model] ?? {}
    const context = contextAssumed ? tokens : Math.min(tokens, about.context ?? Infinity)
    const models = { ...providers[provider]?.models, [model]: { ...about, context } }
    providers[provider] = { ...providers[provider], models }
  }
  return { ...config, providers }
}
