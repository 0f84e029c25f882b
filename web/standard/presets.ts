/** Hosts that people run or route through themselves, by name: what is known of each, under what a configuration says. */

/** A preset: members of a provider, and members of each of its models. */
interface Preset {
  readonly provider: Readonly<Record<string, unknown>>
  readonly model: Readonly<Record<string, unknown>>
}

/** What one's own machine makes costs nothing, and that is known. A model is loaded on the first request, so patience is long. */
const own = { in: 0, cached: 0, out: 0, firstTokenMs: 2000, tokensPerSecond: 30, patienceMs: 300_000 }

const presets: Readonly<Record<string, Preset>> = {
  // Its context is the server's: OLLAMA_CONTEXT_LENGTH or a model file; the default cuts longer prompts without a word.
  ollama: {
    provider: { name: 'Ollama', baseUrl: 'http://localhost:11434/v1', keyEnv: null, json: 'schema', concurrency: 1 },
    model: { ...own, context: 4096, source: 'preset of a local host' },
  },
  // Knows schemas and text; plain JSON mode is refused.
  lmstudio: {
    provider: {
      name: 'LM Studio',
      dialect: 'lmstudio',
      baseUrl: 'http://localhost:1234/v1',
      keyEnv: null,
      json: 'schema',
      concurrency: 1,
    },
    model: { ...own, source: 'preset of a local host' },
  },
  llamacpp: {
    provider: { name: 'llama.cpp', baseUrl: 'http://localhost:8080/v1', keyEnv: null, json: 'schema', concurrency: 1 },
    model: { ...own, source: 'preset of a local host' },
  },
  vllm: {
    provider: { name: 'vLLM', baseUrl: 'http://localhost:8000/v1', keyEnv: null, json: 'schema', concurrency: 16 },
    model: { ...own, tokensPerSecond: 60, source: 'preset of a local host' },
  },
  openrouter: {
    provider: {
      name: 'OpenRouter',
      baseUrl: 'https://openrouter.ai/api/v1',
      keyEnv: 'OPENROUTER_API_KEY',
      json: 'none',
      concurrency: 8,
    },
    // Prices are those of each model: unknown until they are declared.
    model: {},
  },
}

export const presetNames: readonly string[] = Object.keys(presets)

type Fields = Readonly<Record<string, unknown>>

/**
 * The provider with its preset under it; itself without one; undefined: no preset has that name. A model that only `default`
 * names is made.
 */
export function withPreset(provider: Fields): Fields | undefined {
  const { preset: name, ...given } = provider
  if (name === undefined) return provider
  if (typeof name !== 'string' || !Object.hasOwn(presets, name)) return undefined
  const { provider: known, model } = presets[name]!
  const named = typeof given['default'] === 'string' ? { [given['default']]: {} } : {}
  const models = Object.entries({ ...named, ...(given['models'] as Fields | undefined) })
  const made = models.map(([id, members]) => {
    const own = members as Fields
    const assumed = model['context'] !== undefined && own?.['context'] === undefined
    return [id, { ...model, ...own, ...(assumed ? { contextAssumed: true } : {}) }] as const
  })
  return { dialect: 'generic', ...known, ...given, preset: name, models: Object.fromEntries(made) }
}

/** Whether an address is on this machine, by its host's name or address. */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}
