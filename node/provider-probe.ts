/** Asks providers how they are: whether they answer, which models they have, what money is left. Generates nothing, costs nothing. */
import type { FailureKind } from '../bindings/generated/wire.js'
import type { Clock, Transport } from '../bindings/ports.js'
import { systemClock } from '../web/standard/clock.js'
import { CallFailure } from '../web/standard/failure/failure.js'
import { baseAddress, bearer, type ClientConfig } from '../web/standard/providers/exchange.js'
import { geminiKey } from '../web/standard/providers/gemini.js'
import { callJson } from '../web/standard/providers/index.js'
import type { ProviderEntry } from '../web/standard/config.js'

export interface ProbeFailure {
  readonly kind: FailureKind
  /** HTTP status, when there was one. */
  readonly status?: number
}

export interface Probe {
  /** Something answered, if only to refuse. */
  readonly reachable: boolean
  /** From asking for the models to their list or refusal, connection included, ms. */
  readonly ms: number
  /** Why there is no list of models. */
  readonly failure?: ProbeFailure
  /** Ids as requests name them; absent: none were told. */
  readonly models?: readonly string[]
  /** Money left, where the provider tells. */
  readonly balance?: readonly { readonly currency: string; readonly total: string }[]
}

export interface ProbeOptions {
  readonly transport: Transport
  /** Of every request, ms; default 5000. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/** Never rejects. `entry` has a key and an address. */
export async function probeProvider(entry: ProviderEntry, options: ProbeOptions): Promise<Probe> {
  const clock = options.clock ?? systemClock
  const config: ClientConfig = {
    transport: options.transport,
    baseUrl: entry.baseUrl,
    key: () => entry.key ?? '',
    keyless: entry.key === '',
    clock,
    timeouts: { totalMs: options.timeoutMs ?? 5000 },
  }
  const startedAtMs = clock.now()
  const asked = ask(config, entry).then(
    (models) => ({ models, ms: clock.now() - startedAtMs }),
    (error: unknown) => ({ failure: failureOf(error), ms: clock.now() - startedAtMs }),
  )
  // Side by side: a provider whose list is slow does not hide its balance.
  const [list, balance] = await Promise.all([asked, entry.dialect === 'deepseek' ? balanceOf(config) : undefined])
  const failure = 'failure' in list ? list.failure : undefined
  return {
    reachable: failure === undefined || failure.status !== undefined,
    ms: Math.round(list.ms),
    ...(failure && { failure }),
    ...('models' in list && list.models && { models: list.models }),
    ...(balance && { balance }),
  }
}

async function ask(config: ClientConfig, { dialect }: ProviderEntry): Promise<readonly string[] | undefined> {
  const base = addressOf(config)
  const google = dialect === 'gemini'
  const url = google ? `${base}/models?pageSize=1000` : `${base}/models`
  return idsOf(await get(config, url, google ? geminiKey : bearer))
}

/** `{"balance_infos":[{"currency":"USD","total_balance":"12.34",…}]}` beside the base with or without its version. */
async function balanceOf(config: ClientConfig): Promise<Probe['balance']> {
  try {
    const url = `${addressOf(config).replace(/\/(?:v1|beta)$/, '')}/user/balance`
    const { balance_infos: infos } = (await get(config, url, bearer)) as { balance_infos?: unknown }
    const known = (Array.isArray(infos) ? infos : []).flatMap(
      (info: { currency?: unknown; total_balance?: unknown }) =>
        typeof info?.currency === 'string' && typeof info.total_balance === 'string'
          ? [{ currency: info.currency.slice(0, 8), total: info.total_balance.slice(0, 24) }]
          : [],
    )
    return known.length > 0 ? known : undefined
  } catch {
    // What is wrong with the key or the line, the list of models has told.
    return undefined
  }
}

function get(config: ClientConfig, url: string, authorisation: typeof bearer): Promise<unknown> {
  return callJson(config, { method: 'GET', url, authorisation }, new AbortController().signal)
}

/** An invalid base URL is the configuration's fault, and reported as such. */
function addressOf({ baseUrl }: ClientConfig): string {
  try {
    return baseAddress(baseUrl)
  } catch {
    throw new CallFailure('bad_request', 'not a base URL')
  }
}

/** `data` of the common list, `models` of Gemini's; some hosts send the list bare. Other shapes say nothing. */
function idsOf(value: unknown): readonly string[] | undefined {
  const { data, models } = (value ?? {}) as { data?: unknown; models?: unknown }
  const list = [data, models, value].find(Array.isArray) as readonly { id?: unknown; name?: unknown }[] | undefined
  return list
    ?.map((one) => one?.id ?? one?.name)
    .filter((id) => typeof id === 'string')
    .map((id) => id.replace(/^models\//, ''))
}

function failureOf(error: unknown): ProbeFailure {
  if (!(error instanceof CallFailure)) return { kind: 'malformed' }
  const { kind, status } = error
  return { kind, ...(status !== undefined && { status }) }
}
