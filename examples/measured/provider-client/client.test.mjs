import test from 'node:test'
import assert from 'node:assert/strict'
import { createClient, ProviderError } from './client.mjs'

/** A fetch that answers once, and keeps what it was asked. */
function answering(status, body, headers = {}) {
  const asked = []
  const fetch = async (address, init) => {
    asked.push({ address: String(address), ...init })
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
  }
  return { asked, client: createClient({ baseUrl: 'http://provider.test/v1', key: 'secret-key', fetch }) }
}
const good = { answer: 'forty-two', usage: { in: 3, out: 2 } }
const failing = async (status, body, headers) => {
  const { client } = answering(status, body, headers)
  return client.complete({ model: 'm', prompt: 'p' }).then(
    () => assert.fail('it did not reject'),
    (error) => error,
  )
}

test('asks as the API wants it', async () => {
  const { asked, client } = answering(200, good)
  assert.deepEqual(await client.complete({ model: 'm', prompt: 'p', maxTokens: 5 }), {
    text: 'forty-two',
    usage: { in: 3, out: 2 },
  })
  assert.equal(asked.length, 1)
  assert.equal(asked[0].address, 'http://provider.test/v1/answers')
  assert.equal(asked[0].method, 'POST')
  assert.equal(new Headers(asked[0].headers).get('authorization'), 'Bearer secret-key')
  assert.deepEqual(JSON.parse(asked[0].body), { model: 'm', prompt: 'p', max_tokens: 5 })
})
test('leaves out what is not said', async () => {
  const { asked, client } = answering(200, good)
  await client.complete({ model: 'm', prompt: 'p' })
  assert.deepEqual(JSON.parse(asked[0].body), { model: 'm', prompt: 'p' })
})
for (const [status, kind, retryable] of [
  [401, 'auth', false],
  [403, 'auth', false],
  [429, 'rate_limited', true],
  [400, 'bad_request', false],
  [422, 'bad_request', false],
  [500, 'server', true],
  [503, 'server', true],
])
  test(`status ${status} is ${kind}`, async () => {
    const error = await failing(status, { error: { message: 'no' } })
    assert.ok(error instanceof ProviderError)
    assert.deepEqual([error.kind, error.retryable], [kind, retryable])
    assert.doesNotMatch(`${error.message}${error.stack}`, /secret-key/)
  })
test('retry-after in ms, undefined when it is not said', async () => {
  assert.equal((await failing(429, {}, { 'retry-after': '2' })).retryAfterMs, 2000)
  assert.equal((await failing(429, {})).retryAfterMs, undefined)
})
test('the words of a wrong request are kept', async () => {
  assert.match((await failing(400, { error: { message: 'unknown model' } })).message, /unknown model/)
})
for (const body of ['<html>', '{}', '{"answer": 1}', 'null'])
  test(`status 200 with ${body} is no answer`, async () => {
    const error = await failing(200, body)
    assert.ok(error instanceof ProviderError)
    assert.equal(error.kind, 'bad_reply')
  })
