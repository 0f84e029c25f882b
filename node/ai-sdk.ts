/**
 * AetherFlow as a provider of the AI SDK, in this process:
 *
 *   import { createAetherflow } from '@aetherflow/aetherflow/ai-sdk'
 *   const aetherflow = createAetherflow()
 *   const { text, providerMetadata } = await generateText({ model: aetherflow('auto'), prompt })
 *   await aetherflow.close()
 *
 * @packageDocumentation
 */
import { languageModel, type ModelOptions } from '../web/standard/ai-sdk/model.js'
import type { LanguageModel } from '../web/standard/ai-sdk/types.js'
import { openService, type Service, type ServiceOptions } from './serve/service.js'

export {
  cacheMiddleware,
  type CacheMiddleware,
  type CacheMiddlewareOptions,
} from '../web/standard/ai-sdk/cache-middleware.js'
export type { CallExtras } from '../web/standard/ai-sdk/call.js'
export type * from '../web/standard/ai-sdk/types.js'

export interface AetherflowOptions extends ServiceOptions, ModelOptions {}

export interface AetherflowProvider {
  /** `auto`, a mode, or `provider/model`. */
  (model: string): LanguageModel
  languageModel(model: string): LanguageModel
  /** Ends connections. Idempotent. */
  close(): Promise<void>
}

/** Nothing is opened before the first call, which rejects with host.config, host.io_failed or route.no_provider. */
export function createAetherflow(options: AetherflowOptions = {}): AetherflowProvider {
  let opening: Promise<Service> | undefined
  const open = async () => (await (opening ??= openService(options))).chat
  const model = (word: string): LanguageModel => languageModel(word, open, options)
  const close = async (): Promise<void> => {
    const opened = await opening?.catch(() => undefined)
    opening = undefined
    await opened?.close()
  }
  return Object.assign((word: string) => model(word), { languageModel: model, close })
}
