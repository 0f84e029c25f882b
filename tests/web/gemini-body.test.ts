import { describe, expect, test } from '@jest/globals'
import type { OutputConstraint } from '../../bindings/ports.js'
import { lowLatencyThinking } from '../../web/standard/providers/index.js'
import { geminiBody } from '../../web/standard/providers/gemini-body.js'
import { openApiSchema } from '../../web/standard/providers/gemini-schema.js'
import { modelRequest } from './call.js'

const config = (output: OutputConstraint) =>
  geminiBody(modelRequest({ output }))['generationConfig'] as Record<string, unknown>

describe('output', () => {
  test('text and code ask for nothing', () => {
    for (const kind of ['any', 'text', 'code'] as const) expect(config({ kind })).toEqual({ maxOutputTokens: 100 })
  })
  test('JSON is a media type, a schema one of two members', () => {
    expect(config({ kind: 'json' })).toEqual({ maxOutputTokens: 100, responseMimeType: 'application/json' })
    const open = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
    expect(config({ kind: 'schema', schema: open })).toEqual({
      maxOutputTokens: 100,
      responseMimeType: 'application/json',
      responseSchema: {
        type: 'OBJECT',
        properties: { a: { type: 'INTEGER' } },
        propertyOrdering: ['a'],
        required: ['a'],
      },
    })
    const closed = { ...open, additionalProperties: false }
    expect(config({ kind: 'schema', schema: closed })).toEqual({
      maxOutputTokens: 100,
      responseMimeType: 'application/json',
      responseJsonSchema: closed,
    })
  })
  test('a temperature is sent as it is', () => {
    expect(geminiBody(modelRequest({ temperature: 0 }))['generationConfig']).toMatchObject({ temperature: 0 })
  })
})

describe('the OpenAPI subset', () => {
  const text = { type: 'string' }
  test.each([
    [
      'bounds',
      { type: 'integer', minimum: 0, maximum: 9, description: 'd' },
      { type: 'INTEGER', minimum: 0, maximum: 9, description: 'd' },
    ],
    ['words', { type: 'string', enum: ['a', 'b'] }, { type: 'STRING', enum: ['a', 'b'] }],
    ['a type or null', { type: ['number', 'null'] }, { type: 'NUMBER', nullable: true }],
    [
      'items',
      { type: 'array', items: { type: 'boolean' }, minItems: 1 },
      { type: 'ARRAY', items: { type: 'BOOLEAN' }, minItems: 1 },
    ],
    ['a choice', { anyOf: [text, { type: 'integer' }] }, { anyOf: [{ type: 'STRING' }, { type: 'INTEGER' }] }],
    ['the dialect`s name', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...text }, { type: 'STRING' }],
  ])('%s', (_, schema, expected) => expect(openApiSchema(schema)).toEqual(expected))

  test.each([
    ['several types', { type: ['string', 'number'] }],
    ['null alone', { type: 'null' }],
    ['no type', { minimum: 1 }],
    ['const', { type: 'string', const: 'a' }],
    ['enumerated numbers', { type: 'integer', enum: [1, 2] }],
    ['null or words, where the list leaves null out', { type: ['string', 'null'], enum: ['a'] }],
    ['a closed object', { type: 'object', properties: { a: text }, additionalProperties: false }],
    ['an object without members', { type: 'object' }],
    ['a list of anything', { type: 'array' }],
    ['a required member that is not described', { type: 'object', properties: { a: text }, required: ['b'] }],
    ['a reference', { $ref: '#/$defs/a', $defs: { a: text } }],
    ['a format', { type: 'string', format: 'email' }],
    ['oneOf', { oneOf: [text] }],
    ['a choice beside a type', { type: 'string', anyOf: [text] }],
    ['an unknown keyword deep down', { type: 'array', items: { type: 'array', items: { ...text, 'x-y': 1 } } }],
    ['a bound that is none', { type: 'integer', minimum: '1' }],
    ['true', { type: 'object', properties: { a: true } }],
  ])('%s has no counterpart', (_, schema) => expect(openApiSchema(schema as Record<string, unknown>)).toBeUndefined())

  test('a schema without end is left alone', () => {
    let schema: Record<string, unknown> = { type: 'string' }
    for (let depth = 0; depth < 50; depth++) schema = { type: 'array', items: schema }
    expect(openApiSchema(schema)).toBeUndefined()
  })
})

test.each([
  ['gemini-2.5-flash', { thinkingBudget: 0 }],
  ['gemini-2.5-flash-lite', { thinkingBudget: 0 }],
  ['gemini-2.5-pro', { thinkingBudget: 128 }],
  ['gemini-3.5-flash-lite', { thinkingLevel: 'minimal' }],
  ['gemini-3.8-flash', { thinkingLevel: 'low' }],
  ['gemini-3.1-pro-preview', { thinkingLevel: 'low' }],
  ['models/gemini-4-argon', { thinkingLevel: 'low' }],
  ['gemini-2.0-flash', undefined],
  ['gemini-flash-latest', undefined],
  ['gemma-4-27b', undefined],
])('the least thinking of %s', (model, thinking) => expect(lowLatencyThinking(model)).toEqual(thinking))
