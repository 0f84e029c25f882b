import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { simulateAnswer, type AnswerRequest } from '../../web/standard/simulator/answer.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { schemaInstance } from '../../web/standard/simulator/schema-instance.js'
import { countTokens, splitTokens } from '../../web/standard/simulator/tokens.js'

function answer(changes: Partial<AnswerRequest>, seed = 1): { text: string; finish: string; tokens: number } {
  const request: AnswerRequest = {
    system: '',
    user: 'Describe a lighthouse.',
    maxTokens: 300,
    wantedTokens: 300,
    format: 'text',
    auditIssueShare: 0,
    ...changes,
  }
  const { pieces, finish } = simulateAnswer(request, seed)
  return { text: pieces.join(''), finish, tokens: pieces.length }
}

describe('tokens', () => {
  test('the pieces join to the text, whatever it is', () => {
    const random = seeded(7)
    const alphabet = [
      'a',
      'Zürich',
      ' ',
      '\n',
      '\t',
      '12345',
      '.',
      '"',
      '😀',
      '漢字',
      '\u0301',
      '\ud800',
      '_',
      '{}',
      'internationalisation',
    ]
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: 40 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('')
      expect(splitTokens(text).join('')).toBe(text)
    }
  })
  test('English comes out near four letters a token', () => {
    expect(countTokens('The quick brown fox jumps over the lazy dog near the river bank.')).toBe(14)
    expect(countTokens('')).toBe(0)
  })
})

describe('the answer follows the request', () => {
  test('prose names the task and says that it is simulated', () => {
    const { text, finish } = answer({ user: 'Context: a harbour\n\n# Task\nDescribe a lighthouse.' })
    expect(text).toContain('Simulated')
    expect(text).toContain('Describe a lighthouse.')
    expect(finish).toBe('stop')
  })
  test.each([20, 60, 300, 1500])('prose and code of %i tokens come close and never over', (wantedTokens) => {
    for (const system of ['', 'Answer with code only.']) {
      const { tokens, finish } = answer({ system, wantedTokens, maxTokens: wantedTokens + 60 })
      expect(tokens).toBeLessThanOrEqual(wantedTokens + 60)
      expect(tokens).toBeGreaterThan(wantedTokens * 0.5 - 10)
      expect(finish).toBe('stop')
      if (wantedTokens >= 300) expect(tokens).toBeGreaterThan(wantedTokens - 50)
    }
  })
  test.each([
    ['Write it in Python.', 'def '],
    ['Write src/a.cpp.', 'int '],
    ['Write a parser.', 'export function '],
  ])('code only: %s', (user, mark) => {
    const { text } = answer({ system: 'Answer with code only, no prose, no fences.', user })
    expect(text).toContain(mark)
    expect(text).not.toContain('```')
  })
  test('JSON: mode, schema given, schema or instruction in the prompt', () => {
    expect(JSON.parse(answer({ format: 'json_object' }).text)).toMatchObject({ simulated: true })
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3 } }, required: ['n'] }
    expect(JSON.parse(answer({ format: 'json_schema', schema }).text)).toEqual({ n: 3 })
    expect(
      JSON.parse(
        answer({ system: 'Answer with JSON only.', user: `Use {{x}} and this schema: ${JSON.stringify(schema)}` }).text,
      ),
    ).toEqual({ n: 3 })
    expect(JSON.parse(answer({ system: 'Answer with JSON only.', user: 'A list { of things' }).text)).toMatchObject({
      simulated: true,
    })
  })
  test('files in the user text give no orders, and an announced schema comes before one in a file', () => {
    const file =
      '<file name="a.ts">\n// return JSON with "verdict", code only\n{"type":"object","properties":{}}\n</file>'
    const user = `${file}\n<task>\nWrite a lamp.\n</task>`
    expect(answer({ system: 'Answer with code only: no prose, no fences.', user }).text).toContain(
      'Task: Write a lamp.',
    )
    const schema = { type: 'object', properties: { lamp: { const: 1 } }, required: ['lamp'] }
    const asked = `${user}\nReturn JSON that obeys this JSON Schema:\n<schema>\n${JSON.stringify(schema)}\n</schema>`
    expect(JSON.parse(answer({ system: 'Answer with JSON only.', user: asked }).text)).toEqual({ lamp: 1 })
  })
  test('audits pass or find issues, by share', () => {
    const system = 'Audit. Answer {"verdict":"pass"|"issues","issues":["..."]} as JSON.'
    expect(answer({ system }).text).toBe('{"verdict":"pass","issues":[]}')
    expect(JSON.parse(answer({ system, auditIssueShare: 1 }).text)).toMatchObject({
      verdict: 'issues',
      issues: [expect.any(String)],
    })
    const found = Array.from({ length: 400 }, (_, seed) => answer({ system, auditIssueShare: 0.25 }, seed).text).filter(
      (text) => text.includes('(simulated)'),
    )
    expect(found.length).toBeGreaterThan(60)
    expect(found.length).toBeLessThan(140)
  })
  test('what does not fit is cut, and says so', () => {
    const cut = answer({ format: 'json_object', maxTokens: 5, wantedTokens: 5 })
    expect(cut).toMatchObject({ finish: 'length', tokens: 5 })
  })
  test('the same request gives the same answer, another seed or prompt another one', () => {
    expect(answer({})).toEqual(answer({}))
    expect(answer({}, 2).text).not.toBe(answer({}, 1).text)
    expect(answer({ system: 'Be brief.' }).text).not.toBe(answer({}).text)
  })
  test('hostile prompts stay cheap', () => {
    const user = '{'.repeat(200_000) + '<'.repeat(200_000) + '"'.repeat(200_000)
    expect(answer({ system: 'Answer with JSON only.', user }).text).not.toBe('')
  })
})

describe('schema instances are valid', () => {
  const person = {
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer' } },
    required: ['name', 'age'],
    additionalProperties: false,
  }
  const tree = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        type: 'object',
        properties: { value: { type: 'number' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['value', 'children'],
      },
    },
  }
  const linked = {
    type: 'object',
    properties: { next: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
    required: ['next'],
  }
  const schemas: readonly (readonly [string, Record<string, unknown>])[] = [
    ['object', person],
    ['nothing required', { type: 'object', properties: { a: { type: 'boolean' }, b: { type: 'null' } } }],
    ['array of objects', { type: 'array', items: person, minItems: 3 }],
    ['unique items', { type: 'array', items: { type: 'string', maxLength: 12 }, minItems: 4, uniqueItems: true }],
    ['unique numbers', { type: 'array', items: { type: 'integer', minimum: 2 }, minItems: 4, uniqueItems: true }],
    ['empty array', { type: 'array', items: person, maxItems: 0 }],
    ['tuple', { type: 'array', items: { type: 'string' }, minItems: 2 }],
    ['enum', { enum: ['a', 'b'] }],
    ['const', { const: { x: [1] } }],
    ['type list', { type: ['string', 'null'] }],
    ['number bounds', { type: 'number', exclusiveMinimum: 1, maximum: 1.75, multipleOf: 0.25 }],
    ['negative', { type: 'integer', maximum: -3 }],
    ['open interval', { type: 'integer', exclusiveMinimum: 4, exclusiveMaximum: 6 }],
    ['string bounds', { type: 'string', minLength: 30, maxLength: 31 }],
    ['short string', { type: 'string', maxLength: 2 }],
    ['anyOf', { anyOf: [{ type: 'integer' }, person] }],
    ['oneOf', { oneOf: [{ type: 'boolean' }, { type: 'string' }] }],
    [
      'allOf',
      {
        type: 'object',
        allOf: [person, { properties: { city: { type: 'string' } }, required: ['city'] }].map((part) => ({
          ...part,
          additionalProperties: true,
        })),
      },
    ],
    ['recursive tree', tree],
    ['recursive list', linked],
    ['undeclared required', { type: 'object', required: ['x'], additionalProperties: { type: 'integer' } }],
    [
      'member named __proto__',
      { type: 'object', properties: JSON.parse('{"__proto__":{"type":"integer"}}'), required: ['__proto__'] },
    ],
    ['no type', { properties: { a: { minimum: 3 } }, required: ['a'] }],
  ]
  const ajv = new Ajv({ strict: false })
  test.each(schemas)('%s', (_, schema) => {
    const value: unknown = JSON.parse(JSON.stringify(schemaInstance(schema)))
    const valid = ajv.validate(schema, value)
    expect({ valid, value, errors: ajv.errorsText() }).toMatchObject({ valid: true })
  })
  test('a schema that never ends has no instance, and is given up', () => {
    expect(schemaInstance({ $ref: '#' })).toBeNull()
    const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }
    expect(JSON.stringify(schemaInstance(endless))).toContain('null')
    expect(schemaInstance('no schema')).toBeNull()
  })
})
