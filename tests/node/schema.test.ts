/** The published schema and the reader agree on what a plan is. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { AetherflowError, checkPlan } from '../../node/index.js'
import { projectPath } from '../fixtures/paths.js'

const schema = JSON.parse(readFileSync(projectPath('core/plan/plan.schema.json'), 'utf8')) as object
const valid = new Ajv2020({ allErrors: true, strict: false }).compile(schema)
const step = { id: 'a', type: 'testing', description: 'd', complexity: 0.5, estimated_tokens: 1, dependencies: [] }
const plan = (more: object): object => ({ task_id: 't', description: 'd', steps: [{ ...step, ...more }] })

const reads = (value: object): Promise<boolean> =>
  checkPlan(JSON.stringify(value)).then(
    () => true,
    (error: unknown) => {
      if (!(error instanceof AetherflowError)) throw error
      return false
    },
  )

describe('plan.schema.json', () => {
  test.each(readdirSync(projectPath('examples/plans')).filter((name) => name.endsWith('.json')))(
    'accepts the example %s, as the reader does',
    async (name) => {
      const example = JSON.parse(readFileSync(projectPath(`examples/plans/${name}`), 'utf8')) as object
      expect(valid(example)).toBe(true)
      expect(await reads(example)).toBe(true)
    },
  )

  test.each([
    ['a complete step', {}, true],
    ['a schema as output', { output: { type: 'object' } }, true],
    ['an unknown type, which only warns', { type: 'poetry' }, true],
    ['files', { context: { files: ['a.ts'], note: 1 } }, true],
    ['complexity above 1', { complexity: 1.5 }, false],
    ['complexity as text', { complexity: 'high' }, false],
    ['negative tokens', { estimated_tokens: -1 }, false],
    ['an id that is empty', { id: '' }, false],
    ['an id of 129 characters', { id: 'x'.repeat(129) }, false],
    ['dependencies as text', { dependencies: 'a' }, false],
    ['an output of another kind', { output: 'poem' }, false],
    ['priority beyond its range', { priority: 1001 }, false],
    ['optional as a number', { optional: 1 }, false],
    ['a use of the cache', { cache: 'exact' }, true],
    ['an unknown use of the cache', { cache: 'always' }, false],
    ['files that are no list', { context: { files: 'a.ts' } }, false],
  ])('and the reader agree on %s', async (_, more, good) => {
    expect(valid(plan(more))).toBe(good)
    expect(await reads(plan(more))).toBe(good)
  })

  test('both refuse a plan without steps', async () => {
    expect(valid({ task_id: 't', description: 'd' })).toBe(false)
    expect(await reads({ task_id: 't', description: 'd' })).toBe(false)
  })
})
