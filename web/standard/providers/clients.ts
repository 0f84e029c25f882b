/** From a provider's entry in the table to its client. */
import type { ModelClient } from '../../../bindings/ports.js'
import type { ProviderEntry } from '../config.js'
import type { SimulatorProfile } from '../simulator/index.js'
import { deepseek } from './deepseek.js'
import type { Dialect } from './dialect.js'
import type { ClientConfig } from './exchange.js'
import { createGemini } from './gemini.js'
import { generic, lmstudio } from './generic.js'
import { groq } from './groq.js'
import { mistral } from './mistral.js'
import { createOpenAiCompatible } from './openai-compatible.js'
import { openai } from './openai.js'

type MakeClient = (config: ClientConfig) => ModelClient

const chat =
  (dialect: Dialect): MakeClient =>
  (config) =>
    createOpenAiCompatible({ ...config, dialect })

/** Wire formats that have a client, and how to make it. */
export const dialects: Readonly<Record<string, MakeClient>> = {
  deepseek: chat(deepseek),
  gemini: createGemini,
  generic: chat(generic),
  groq: chat(groq),
  lmstudio: chat(lmstudio),
  mistral: chat(mistral),
  openai: chat(openai),
}

/** Wire formats whose hosts take a header that no rule names; others have been seen to refuse what they do not know. */
export const takesIdempotencyKey: ReadonlySet<string> = new Set(['openai', 'generic', 'lmstudio'])

/** The client of a provider; undefined: nobody speaks its format, or it has no address. Throws a TypeError when the address is not valid. */
export function clientFor(dialect: string, config: ClientConfig): ModelClient | undefined {
  const make = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined
  return config.baseUrl === '' ? undefined : make?.(config)
}

/** Those that the profile plays, at a simulator's address. */
export function simulatedEntries(
  entries: readonly ProviderEntry[],
  profile: SimulatorProfile,
  url: string,
): ProviderEntry[] {
  const names = new Set(Object.keys(profile.providers))
  return entries
    .filter(({ id }) => names.has(id))
    .map((entry) => ({
      ...entry,
      baseUrl: `${url}/${entry.id}/${entry.id === 'gemini' ? 'v1beta' : 'v1'}`,
      // Each is played in its own format, whatever the configuration calls through.
      dialect: entry.id,
      key: 'simulated',
    }))
}
