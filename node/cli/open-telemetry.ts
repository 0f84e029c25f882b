/** `--otel`: the API of OpenTelemetry, which anyone who wants it has installed and set up with an SDK (`node --import`). */
import { AetherflowError } from '../index.js'
import type { TelemetryOptions } from '../../web/standard/telemetry/otel.js'
import type { Host } from './host.js'

const wanted: string = '@opentelemetry/api'

/** Longest wait for the SDK to hand over what it has collected, ms. */
const patienceMs = 5000

/** What SDKs have beyond the API. */
interface Flushable {
  getDelegate?(): Flushable
  forceFlush?(): Promise<void>
}

export interface OpenTelemetry extends TelemetryOptions {
  /** Hands over what was collected, before the process ends. Never rejects: spans that are lost take nothing from a run. */
  flush(): Promise<void>
}

/** Fails: host.usage when it is not there. */
export async function openTelemetry({ env, clock }: Pick<Host, 'env' | 'clock'>): Promise<OpenTelemetry> {
  const api = await import(wanted).then(
    (module: unknown) => module as TelemetryOptions['api'] & Providers,
    () => {
      const advice = 'npm install @opentelemetry/api, and an SDK that is set up by --import'
      throw new AetherflowError('host.usage', '--otel', advice)
    },
  )
  return { api, carrier: carrierOf(env), flush: () => flush(api, clock) }
}

interface Providers {
  readonly trace: { getTracerProvider?(): Flushable }
  readonly metrics: { getMeterProvider?(): Flushable }
}

/** The trace that the process's parent is in, by the variables that are usual for that. */
export function carrierOf(env: Host['env']): Readonly<Record<string, string>> | undefined {
  const { TRACEPARENT: traceparent, TRACESTATE: tracestate, BAGGAGE: baggage } = env
  if (traceparent === undefined) return undefined
  return { traceparent, ...(tracestate && { tracestate }), ...(baggage && { baggage }) }
}

async function flush({ trace, metrics }: Providers, clock: Host['clock']): Promise<void> {
  const providers = [trace.getTracerProvider?.(), metrics.getMeterProvider?.()]
  const flushed = providers.map((provider) => (provider?.getDelegate?.() ?? provider)?.forceFlush?.())
  let stop = (): void => undefined
  const late = new Promise<void>((resolve) => (stop = clock.after(patienceMs, resolve)))
  await Promise.race([Promise.allSettled(flushed), late])
  stop()
}
