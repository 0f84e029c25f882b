// Our client over the pooled transport: time-outs armed, limits read, errors named; no plan, no core.
import { check, model, prompt, pump, system } from '../lib/calls.mjs'
import { createOpenAiCompatible, generic, pooledTransport } from '../lib/product.mjs'

export const words = 'our client, pooled connections'

const timeouts = { connectMs: 10_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000 }

/** A client of the bench's server, and its transport. */
export function client(url) {
  const transport = pooledTransport()
  return {
    transport,
    client: createOpenAiCompatible({ transport, baseUrl: url, key: () => 'k', dialect: generic, timeouts }),
  }
}

export function open({ url, stream }) {
  const { client: own, transport } = client(url)
  const request = { model, system, user: prompt, maxOutputTokens: 100, output: { kind: 'any' }, stream }
  const observer = { started() {}, firstToken() {}, text() {}, limits() {} }
  const once = async () => check((await own.generate(request, new AbortController().signal, observer)).text)
  return {
    run: (count, concurrency) => pump(count, concurrency, once),
    stats: () => transport.stats(),
    close: () => transport.close(),
  }
}
