/** `--otel`: the API of OpenTelemetry, which whoever wants it has installed and set up with an SDK (`node --import`). */
import { AetherflowError } from '../index.js'
import type { TelemetryOptions } from '../../web/standard/telemetry/otel.js'

const wanted: string = '@opentelemetry/api'

/** Fails: host.usage when it is not there. */
export async function openTelemetry(): Promise<TelemetryOptions> {
  try {
    return { api: (await import(wanted)) as TelemetryOptions['api'] }
  } catch {
    throw new AetherflowError(
      'host.usage',
      '--otel',
      'npm install @opentelemetry/api, and an SDK that is set up by --import',
    )
  }
}
