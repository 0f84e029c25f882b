/**
 * AetherFlow as a provider of the AI SDK, in a page:
 *
 *   import { createAetherflow } from '@aetherflow/aetherflow/ai-sdk'
 *   const aetherflow = createAetherflow({ keys: (provider) => form.get(provider) })
 *   const { textStream } = streamText({ model: aetherflow('auto'), prompt })
 *
 * Core and calls run in the page's own thread: a call waits for its network most of the time.
 *
 * @packageDocumentation
 */
import type { AnswerCache } from '../../bindings/cache/ports.js'
import { CoreRun } from '../../bindings/core.js'
import { languageModel, type ModelOptions } from '../standard/ai-sdk/model.js'
import type { LanguageModel } from '../standard/ai-sdk/types.js'
import type { ChatHost } from '../standard/chat/chat-run.js'
import { checkConfig, mergedEntries, mergedTimeouts, patienceOf } from '../standard/config.js'
import { version } from '../standard/version.js'
import { digest } from './digest.js'
import { loadCore } from './loader.js'
import type { PlanOptions } from './options.js'
import { openProviders, type PageProviders } from './providers.js'
import { pageOf, settingsOf } from './run/job.js'
import { loadSimulator } from './worker/load-part.js'

export {
  cacheMiddleware,
  type CacheMiddleware,
  type CacheMiddlewareOptions,
} from '../standard/ai-sdk/cache-middleware.js'
export type { CallExtras } from '../standard/ai-sdk/call.js'
export type * from '../standard/ai-sdk/types.js'

export interface AetherflowOptions extends ModelOptions, Omit<PlanOptions, 'worker' | 'mode'> {
  /** An open SemanticCache; its opener closes it. */
  readonly cache?: AnswerCache | undefined
}

export interface AetherflowProvider {
  /** `auto`, a mode, or `provider/model`. */
  (model: string): LanguageModel
  languageModel(model: string): LanguageModel
  close(): Promise<void>
}

interface Opened {
  readonly chat: ChatHost
  readonly providers: PageProviders
}

/** Nothing is opened before the first call, which rejects with host.config, host.io_failed or route.no_provider. */
export function createAetherflow(options: AetherflowOptions = {}): AetherflowProvider {
  let opening: Promise<Opened> | undefined
  const chat = async () => (await (opening ??= open(options))).chat
  const model = (word: string): LanguageModel => languageModel(word, chat, options)
  const close = async (): Promise<void> => {
    const opened = await opening?.catch(() => undefined)
    opening = undefined
    opened?.providers.close()
  }
  return Object.assign((word: string) => model(word), { languageModel: model, close })
}

async function open({ cache, tenant: _tenant, onEvent: _onEvent, ...options }: AetherflowOptions): Promise<Opened> {
  const settings = settingsOf(options)
  const module = await loadCore(settings.core)
  const core = new CoreRun(module)
  try {
    const config = checkConfig(options.config ?? {})
    const defaults = core.document('defaults')
    const { connectMs: _connect, ...timeouts } = mergedTimeouts(defaults, config)
    const waits = { timeouts, patience: (id: string) => patienceOf(defaults, config, id) }
    const entries = mergedEntries(defaults, config)
    const nothing = (): void => undefined
    const providers = await openProviders(
      entries,
      settings,
      pageOf(options, nothing, nothing),
      {},
      waits,
      loadSimulator,
    )
    return {
      providers,
      chat: {
        freshCore: () => new CoreRun(module),
        ...{ version, digest, config, cache, providers },
        clock: providers.clock,
        providerIds: entries.map(({ id }) => id),
        dialects: Object.fromEntries(entries.map(({ id, dialect }) => [id, dialect])),
        waits: new Map(),
      },
    }
  } finally {
    core.dispose()
  }
}
