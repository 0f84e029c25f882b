// What a user's `node --import` sets up: the real SDK, which collects spans in batches, and here writes them to the file OTEL_SPANS.
import { appendFileSync } from 'node:fs'
import { propagation, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId } = span.spanContext()
      const line = {
        name: span.name,
        trace: traceId,
        parent: span.parentSpanContext?.spanId,
        attributes: span.attributes,
      }
      appendFileSync(process.env.OTEL_SPANS, `${JSON.stringify(line)}\n`)
    }
    done({ code: 0 })
  },
  shutdown: () => Promise.resolve(),
}
// Longer than any test: what comes out was asked for.
const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 3_600_000 })
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }))
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
