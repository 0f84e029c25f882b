import { describe, expect, test } from '@jest/globals'
import type { OutputConstraint } from '../../bindings/ports.js'
import { deepseek, generic, groq, openai } from '../../web/standard/providers/index.js'
import { modelRequest } from './call.js'

const strict = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
const loose = { type: 'object', properties: { a: { type: 'string' } } }
const schema = (value: Record<string, unknown>): OutputConstraint => ({ kind: 'schema', schema: value })
const system = 'Answer with JSON only.'

test('DeepSeek: strings, thinking off, usage asked for', () => {
  expect(deepseek.body(modelRequest({ temperature: 0.2 }))).toEqual({
    model: 'deepseek-flash',
    messages: [
      { role: 'system', content: 'You are terse.' },
      { role: 'user', content: modelRequest().user },
    ],
    max_tokens: 100,
    stream: true,
    stream_options: { include_usage: true },
    thinking: { type: 'disabled' },
    temperature: 0.2,
  })
  expect(deepseek.body(modelRequest({ stream: false }))).not.toHaveProperty('stream_options')
})

test('DeepSeek: JSON mode for any object, and only when the prompt has the word', () => {
  const mode = { type: 'json_object' }
  expect(deepseek.body(modelRequest({ system, output: { kind: 'json' } }))).toMatchObject({ response_format: mode })
  expect(deepseek.body(modelRequest({ system, output: schema(loose) }))).toMatchObject({ response_format: mode })
  expect(deepseek.body(modelRequest({ system, output: schema({ type: 'array' }) }))).not.toHaveProperty(
    'response_format',
  )
  expect(deepseek.body(modelRequest({ output: { kind: 'json' } }))).not.toHaveProperty('response_format')
})

describe('Groq', () => {
  const model = 'openai/gpt-oss-120b'
  test('its own limit field and no stream options', () => {
    const body = groq.body(modelRequest({ model }))
    expect(body).toMatchObject({ max_completion_tokens: 100, stream: true, reasoning_effort: 'low' })
    expect(body).not.toHaveProperty('stream_options')
    expect(body).not.toHaveProperty('max_tokens')
  })
  test('a schema where the model takes one, never with a stream', () => {
    const format = { type: 'json_schema', json_schema: { name: 'answer', schema: strict, strict: true } }
    expect(groq.body(modelRequest({ model, system, output: schema(strict) }))).toMatchObject({
      stream: false,
      response_format: format,
    })
    const qwen = groq.body(modelRequest({ model: 'qwen/qwen3.6-27b', system, output: schema(strict) }))
    expect(qwen).toMatchObject({ stream: false, response_format: { type: 'json_object' }, reasoning_effort: 'none' })
  })
})

describe('OpenAI', () => {
  test('reasoning models: developer turn, no temperature; usage without padding', () => {
    const body = openai.body(modelRequest({ model: 'gpt-6-luna', temperature: 0 }))
    expect(body).toMatchObject({
      max_completion_tokens: 100,
      stream_options: { include_usage: true, include_obfuscation: false },
    })
    expect(body).toMatchObject({ messages: [{ role: 'developer' }, { role: 'user' }] })
    expect(body).not.toHaveProperty('temperature')
    expect(openai.body(modelRequest({ model: 'gpt-4.1-mini', temperature: 0 }))).toMatchObject({
      temperature: 0,
      messages: [{ role: 'system' }, {}],
    })
  })

  test.each([
    ['its rules hold', strict, true],
    ['a member is optional', loose, false],
    ['deep down one is open', { ...strict, properties: { a: { type: 'array', items: loose } } }, false],
    ['deep down all hold', { ...strict, properties: { a: { type: 'array', items: strict } } }, true],
    ['allOf is used', { ...strict, allOf: [{}] }, false],
  ])('strict only where %s', (_, value, expected) => {
    const body = openai.body(modelRequest({ model: 'gpt-6-luna', output: schema(value) }))
    expect(body).toMatchObject({ response_format: { json_schema: { strict: expected } } })
  })
})

test('generic: only what every host knows', () => {
  const body = generic.body(modelRequest({ system: '', output: { kind: 'text' } }))
  expect(Object.keys(body)).toEqual(['model', 'messages', 'max_tokens', 'stream', 'stream_options'])
  expect(body['messages']).toHaveLength(1)
})

test('a reference keeps no company in a strict schema, and every other word stays', () => {
  const node = {
    type: 'object',
    properties: { t: { $ref: '#/$defs/T' } },
    $defs: { T: { type: 'string', title: 'T' } },
  }
  const schema = {
    ...node,
    properties: { t: { $ref: '#/$defs/T', description: 'what it says' }, u: { $ref: '#/$defs/T', minLength: 3 } },
    description: 'kept',
  }
  const format = openai.body(modelRequest({ output: { kind: 'schema', schema } }))['response_format']
  expect(format).toMatchObject({
    json_schema: {
      schema: { ...node, description: 'kept', properties: { t: { $ref: '#/$defs/T' }, u: { minLength: 3 } } },
    },
  })
})
