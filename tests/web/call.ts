import type { CallObserver, ModelReply, ModelRequest } from '../../bindings/ports.js'
import { createOpenAiCompatible, deepseek, type OpenAiCompatibleConfig } from '../../web/standard/providers/index.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { startScriptedServer, type Script, type ScriptedServer } from '../sim/scripted-server.js'

/** Must never be seen outside the authorization header. */
export const canaryKey = 'sk-canary-7f3a91c2d4e5b608'
export const promptCanary = 'the violet submarine ledger nobody may quote'

export function modelRequest(changes: Partial<ModelRequest> = {}): ModelRequest {
  return {
    model: 'deepseek-flash',
    system: 'You are terse.',
    user: `Say hello. ${promptCanary}`,
    maxOutputTokens: 100,
    output: { kind: 'any' },
    stream: true,
    ...changes,
  }
}

export type ConfigChanges = Partial<OpenAiCompatibleConfig>

export async function generate(
  baseUrl: string,
  config: ConfigChanges = {},
  request: Partial<ModelRequest> = {},
  observer?: CallObserver,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelReply> {
  const client = createOpenAiCompatible({
    fetch: (input, init) => fetch(input, init),
    baseUrl,
    key: () => canaryKey,
    dialect: deepseek,
    ...config,
  })
  return client.generate(modelRequest(request), signal, observer)
}

/** The failure that a call ends with; an answer, or any other kind of error, is a failed test. */
export async function failureOf(call: Promise<unknown>): Promise<CallFailure> {
  const outcome = await call.then(
    () => new Error('the call succeeded'),
    (error: unknown) => error,
  )
  if (outcome instanceof CallFailure) return outcome
  throw outcome
}

/** Runs `use` against a server that plays `script`, and closes it whatever happens. */
export async function withScript<T>(script: Script, use: (server: ScriptedServer) => Promise<T>): Promise<T> {
  const server = await startScriptedServer(script)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

export function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  return `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }], ...more })}\n\n`
}

export const done = 'data: [DONE]\n\n'
