/** The table of a run with what earlier runs of the process have measured. */
import type { MeasuredModel } from '../../../bindings/measured.js'
import { measuredKey, type LimitSharing } from '../../../bindings/shared-limits.js'
import type { Config } from '../config.js'

/**
 * The configuration with the measured speeds of its models, whatever it or the built-in table says of them. It goes
 * into the journal with the rest of the table: a replay needs nobody who measured. `defaults`: the core's document.
 */
export async function withMeasured(
  defaults: unknown,
  config: Config,
  sharing: LimitSharing | undefined,
): Promise<Config> {
  const { authority } = sharing ?? {}
  if (sharing === undefined || authority?.measured === undefined) return config
  const speeds: ModelSpeed[] = []
  for (const { provider, model } of modelsOf(defaults as Config, config)) {
    const found = authority.measured(measuredKey(sharing, provider, model))
    const speed = found instanceof Promise ? await found : found
    if (speed !== undefined) speeds.push({ provider, model, speed })
  }
  return withSpeeds(config, speeds)
}

type Named = Pick<ModelSpeed, 'provider' | 'model'>

/** By the providers of a configuration, which all requests of a server share. */
const named = new WeakMap<object, { readonly defaults: Config; readonly models: readonly Named[] }>()

/** Every model of the table, once. */
function modelsOf(defaults: Config, { providers: own = none }: Config): readonly Named[] {
  const kept = named.get(own)
  if (kept?.defaults === defaults) return kept.models
  const { providers: known = none } = defaults
  const ids = new Set([...Object.keys(known), ...Object.keys(own)])
  const models = [...ids].flatMap((provider) => {
    const all = [known, own].flatMap((table) => Object.keys(table[provider]?.models ?? {}))
    return [...new Set(all)].map((model) => ({ provider, model }))
  })
  named.set(own, { defaults, models })
  return models
}

const none: NonNullable<Config['providers']> = {}

export interface ModelSpeed {
  readonly provider: string
  readonly model: string
  readonly speed: MeasuredModel
}

/** The configuration with these speeds in the place of what it says of the models. */
export function withSpeeds(config: Config, speeds: readonly ModelSpeed[]): Config {
  const providers = { ...config.providers }
  for (const { provider, model, speed } of speeds) {
    const models = providers[provider]?.models
    providers[provider] = { ...providers[provider], models: { ...models, [model]: { ...models?.[model], ...speed } } }
  }
  return { ...config, providers }
}
