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
  const known = (defaults as Config).providers ?? {}
  const own = config.providers ?? {}
  const speeds: ModelSpeed[] = []
  for (const provider of new Set([...Object.keys(known), ...Object.keys(own)])) {
    const models = [known, own].flatMap((table) => Object.keys(table[provider]?.models ?? {}))
    for (const model of new Set(models)) {
      const speed = await authority.measured(measuredKey(sharing, provider, model))
      if (speed !== undefined) speeds.push({ provider, model, speed })
    }
  }
  return withSpeeds(config, speeds)
}

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
