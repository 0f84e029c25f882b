/** Which texts count as the same plan when a run goes on. */
import { describe, expect, test } from '@jest/globals'
import { samePlan } from '../../web/standard/run/same-plan.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const same = (one: string, other: string): boolean => samePlan(bytes(one), bytes(other))

const plan = {
  task_id: 't',
  description: 'say "so", and {that}: [it]',
  steps: [
    { id: 'a', type: 'analysis', estimated_tokens: 10, dependencies: [], context: { files: ['x', 'y'], inline: '\\' } },
    {
      id: 'b',
      type: 'testing',
      estimated_tokens: 1e3,
      dependencies: ['a'],
      output: { type: 'object', properties: {} },
    },
  ],
}

/** The members of every object of `value` in another order, seeded. */
function shuffled(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((one) => shuffled(one, next))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, shuffled(member, next)] as const)
  for (let i = members.length - 1; i > 0; --i) {
    const j = next() % (i + 1)
    ;[members[i], members[j]] = [members[j]!, members[i]!]
  }
  return Object.fromEntries(members)
}

function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8
}

describe('the same plan', () => {
  test('whatever the order of members and the blanks between tokens', () => {
    const { output: _output, ...second } = plan.steps[1]!
    const plain = { ...plan, steps: [plan.steps[0], second] }
    const text = JSON.stringify(plain)
    for (let seed = 1; seed <= 200; ++seed) {
      const other = JSON.stringify(shuffled(plain, seeded(seed)), undefined, seed % 3)
      expect([seed, same(text, other)]).toEqual([seed, true])
    }
    expect(same(text, `\ufeff${text}\r\n`)).toBe(true)
  })
})

describe('another plan', () => {
  const text = JSON.stringify(plan)
  test.each<[string, string, string]>([
    ['another word', text, text.replace('testing', 'analysis')],
    ['a blank within a text', '{"a":"b c"}', '{"a":"b  c"}'],
    ['another order of a list', '{"a":["x","y"]}', '{"a":["y","x"]}'],
    ['values of members exchanged', '{"a":1,"b":2}', '{"a":2,"b":1}'],
    ['a member moved into another object', '{"a":{"b":1},"c":{}}', '{"a":{},"c":{"b":1}}'],
    ['the order of a schema, which is sent', '{"output":{"x":1,"y":2}}', '{"output":{"y":2,"x":1}}'],
    ['the order of doubled members', '{"a":1,"a":2}', '{"a":2,"a":1}'],
    ['the order of members that are doubled in other letters', '{"a":1,"\\u0061":2}', '{"\\u0061":2,"a":1}'],
    ['another number of the same value', '{"a":10}', '{"a":1e1}'],
    ['one that breaks off', '{"a":1,"b":2}', '{"b":2,"a":1'],
    ['one with more behind it', '{"a":1,"b":2}', '{"b":2,"a":1}}'],
    ['no JSON at all', '{"a" 1,"b":2}', '{"b":2,"a" 1}'],
    [
      'one that is too deep',
      `${'['.repeat(300)}{"a":1,"b":2}${']'.repeat(300)}`,
      `${'['.repeat(300)}{"b":2,"a":1}${']'.repeat(300)}`,
    ],
  ])('%s', (_, one, other) => {
    expect(same(one, other)).toBe(false)
    expect(same(one, one)).toBe(true)
  })

  test('bytes that are no text are compared as bytes', () => {
    const odd = Uint8Array.of(0x22, 0xff, 0x22)
    expect([samePlan(odd, Uint8Array.from(odd)), samePlan(odd, Uint8Array.of(0x22, 0xfe, 0x22))]).toEqual([true, false])
  })
})
