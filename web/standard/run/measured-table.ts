/** The table of a run with what earlier runs of the process have measured. */
import type { MeasuredModel } from '../../../bindings/measured.js'
import { measuredKey, type LimitSharing } from '../../../bindings/shared-limits.js'
import type { Config, ModelConfig } from '../config.js'

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
  const providers = { ...config.providers }
  for (const id of new Set([...Object.keys(known), ...Object.keys(providers)])) {
    const models: Record<string, ModelConfig> = {}
    for (const model of new Set([
      ...Object.keys(known[id]?.models ?? {}),
      ...Object.keys(providers[id]?.models ?? {}),
    ])) {
      const measured: MeasuredModel | undefined = await authority.measured(measuredKey(sharing, id, model))
      if (measured !== undefined) models[model] = { ...providers[id]?.models?.[model], ...measured }
    }
    if (Object.keys(models).length > 0)
      providers[id] = { ...providers[id], models: { ...providers[id]?.models, ...models } }
  }
  return { ...config, providers }
}
