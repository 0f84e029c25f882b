/** What dashboards read: Prometheus text by a real parser, spans and metrics by the real SDK. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import * as api from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import parsePrometheus from 'parse-prometheus-text-format'
import { Metrics, runPlan, SemanticCache, type RunEvent } from '../../node/index.js'
import { serve } from '../../node/serve/serve.js'
import type { OtelApi } from '../../web/standard/telemetry/otel.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(60_000)

const spans = new InMemorySpanExporter()
const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: exported, exportIntervalMillis: 2 ** 30 })
const provider = new ScriptedProvider()
const otel = api as unknown as OtelApi
let config: ReturnType<typeof configOf>

beforeAll(async () => {
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  api.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  config = configOf(await provider.open())
})
afterAll(async () => {
  provider.close()
  await reader.shutdown()
  api.trace.disable()
  api.metrics.disable()
  api.context.disable()
  api.propagation.disable()
})

const step = (id: string, description: string, dependencies: string[] = []) => ({
  id,
  type: 'analysis',
  description,
  dependencies,
})
const plan = {
  task_id: 'traced',
  description: '',
  steps: [step('a', 'SECRET one'), step('b', 'SECRET two', ['a'])],
}

/** Names from the top to each span, sorted. */
function tree(all: readonly ReadableSpan[]): string[] {
  const byId = new Map(all.map((span) => [span.spanContext().spanId, span]))
  const path = (span: ReadableSpan): string => {
    const above = span.parentSpanContext && byId.get(span.parentSpanContext.spanId)
    return above === undefined ? span.name : `${path(above)} > ${span.name}`
  }
  return all.map(path).sort()
}

async function measured(): Promise<Map<string, number>> {
  await reader.forceFlush()
  const [last] = exported.getMetrics().slice(-1)
  const metrics = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
  return new Map(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.length]))
}

test('a run is a tree of spans: run, steps, requests, attempts; a repeat is an attempt of the same request', async () => {
  spans.reset()
  let refused = false
  provider.before = (_asked, response) => {
    if (refused) return false
    refused = true
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
    return true
  }
  const { outcome } = await runPlan(plan, { config, limits: 'own', planName: 'traced', telemetry: { api: otel } })
  provider.before = undefined
  expect(outcome).toBe('ok')
  const all = spans.getFinishedSpans()
  const under = 'invoke_workflow traced > aetherflow.step'
  expect(tree(all)).toEqual([
    'invoke_workflow traced',
    under,
    under,
    `${under} > chat m`,
    `${under} > chat m`,
    `${under} > chat m > aetherflow.attempt`,
    `${under} > chat m > aetherflow.attempt`,
    `${under} > chat m > aetherflow.attempt`,
  ])
  const failed = all.filter(
    ({ name, attributes }) => name === 'aetherflow.attempt' && attributes['error.type'] !== undefined,
  )
  expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual(['server_error'])
  const chat = all.find(({ name }) => name === 'chat m')
  expect(chat?.kind).toBe(api.SpanKind.CLIENT)
  expect(chat?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'local',
    'gen_ai.request.model': 'm',
    'gen_ai.usage.input_tokens': 20,
    'gen_ai.usage.output_tokens': 10,
  })
  // No text of a prompt or an answer anywhere.
  expect(JSON.stringify(all.map(({ attributes, events, status }) => [attributes, events, status]))).not.toMatch(
    /SECRET|echo/,
  )
  const names = await measured()
  for (const name of ['duration', 'time_to_first_chunk', 'usage.input_tokens', 'usage.output_tokens'])
    expect(names.get(`gen_ai.client.inference.${name}`)).toBeGreaterThan(0)
  expect(names.has('gen_ai.client.operation.duration')).toBe(false)
})

test('the names of before are a switch', async () => {
  await runPlan(plan, { config, limits: 'own', telemetry: { api: otel, names: 'before' } })
  const names = await measured()
  expect(names.get('gen_ai.client.operation.duration')).toBeGreaterThan(0)
  expect(names.get('gen_ai.client.token.usage')).toBeGreaterThan(0)
})

test('an answer of the cache is no inference and has no tokens', async () => {
  const cache = await SemanticCache.open({})
  await runPlan(plan, { config, limits: 'own', cache })
  spans.reset()
  await runPlan(plan, { config, limits: 'own', cache, telemetry: { api: otel } })
  await cache.close()
  const all = spans.getFinishedSpans()
  expect(all.filter(({ name }) => name === 'aetherflow.cache.lookup')).toHaveLength(2)
  expect(all.filter(({ name }) => name.startsWith('chat'))).toEqual([])
  expect(JSON.stringify(all.map(({ attributes }) => attributes))).not.toContain('gen_ai.usage')
})

test('a request goes on with its caller’s trace; /metrics is text that Prometheus reads', async () => {
  spans.reset()
  const token = 'afk_test_0123456789abcdef'
  const server = await serve({ port: 0, config, keys: [{ name: 'test', token }], telemetry: { api: otel } })
  try {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'hi' }] })
    const traceparent = `00-${trace}-b7ad6b7169203331-01`
    await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers: { ...headers, traceparent }, body })
    const run = spans.getFinishedSpans().find(({ name }) => name === 'invoke_workflow chat')
    expect(run?.spanContext().traceId).toBe(trace)
    expect(run?.parentSpanContext?.spanId).toBe('b7ad6b7169203331')
    const reply = await fetch(`${server.url}/metrics`, { headers })
    expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await reply.text()
    const metrics = new Map(parsePrometheus(text).map((metric) => [metric.name, metric]))
    expect(metrics.get('aetherflow_calls_total')?.metrics).toEqual([
      { value: '1', labels: { provider: 'local', model: 'm', purpose: 'main', outcome: 'ok', failure: '' } },
    ])
    expect(metrics.get('aetherflow_cost_usd_total')?.metrics[0]).toMatchObject({ value: '0.00004' })
    const duration = metrics.get('aetherflow_call_duration_seconds')
    expect(duration?.type).toBe('HISTOGRAM')
    expect(duration?.metrics[0]).toMatchObject({ buckets: { '+Inf': '1' } })
    expect(text).toMatch(/^aetherflow_call_duration_seconds_count\{[^}]*\} 1$/m)
  } finally {
    await server.close()
  }
})

test('series are few, whatever a run is made of', () => {
  const metrics = new Metrics()
  for (let at = 0; at < 1000; ++at) {
    const event = {
      ...{
        type: 'callEnd',
        at: 1,
        step: `s${at}`,
        call: at,
        purpose: 'main',
        attempt: 0,
        provider: 'p',
        model: `typo "${at}"\n`,
      },
      ...{
        outcome: 'ok',
        tokens: { input: 1, cached: 0, output: 1, reasoning: 0 },
        tokensEstimated: false,
        costMicroUsd: 1,
      },
      ...{ firstTokenMs: 1, responseMs: 2 },
    } as RunEvent
    metrics.take(event)
  }
  const calls = parsePrometheus(metrics.text()).find(({ name }) => name === 'aetherflow_calls_total')
  expect(calls?.metrics).toHaveLength(201)
  const other = calls?.metrics.find(({ labels }) => labels?.['model'] === 'other')
  expect(other?.value).toBe('800')
})
