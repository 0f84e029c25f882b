/** The parts of the playground that need no page. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { layeredLayout, nodeSize } from '../../web/element/layers.js'
import { packed, underWay } from '../../web/element/lanes.js'
import { RunModel } from '../../web/element/run-model.js'
import { headAndTail, middle } from '../../web/element/shorten.js'
import { PlanSchema, typeWords, valuesOf, type Schema } from '../../web/playground/editor/plan-schema.js'
import { thousandSteps } from '../../web/playground/examples.js'
import { sharedPlan, shareFragment } from '../../web/playground/share.js'
import { wordDiff } from '../../web/playground/text-diff.js'
import { version } from '../../web/standard/version.js'
import { projectPath } from '../fixtures/paths.js'

/** The same numbers every time. */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648
}

describe('differences of texts', () => {
  const words = ['please ', 'write ', 'a ', 'test', '.\n', '  ', 'it is ', 'not ', 'small ']
  const texts = (seed: number): [string, string] => {
    const next = random(seed)
    const before = Array.from({ length: 5 + Math.floor(next() * 60) }, () => words[Math.floor(next() * words.length)]!)
    const after = before.filter(() => next() > 0.25).map((word) => (next() > 0.9 ? 'New ' : word))
    return [before.join(''), after.join('')]
  }

  test('the pieces make up both texts, whatever was changed', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const [before, after] = texts(seed)
      const pieces = wordDiff(before, after)
      const of = (kinds: readonly string[]): string =>
        pieces
          .filter(({ kind }) => kinds.includes(kind))
          .map(({ text }) => text)
          .join('')
      expect(of(['same', 'removed'])).toBe(before)
      expect(of(['same', 'added'])).toBe(after)
    }
  })

  test('what only lost words has no addition, and equal texts have no difference', () => {
    expect(wordDiff('Please write it. Thanks.', 'write it.').map(({ kind }) => kind)).toEqual([
      'removed',
      'same',
      'removed',
    ])
    expect(wordDiff('as it is', 'as it is')).toEqual([{ kind: 'same', text: 'as it is' }])
    expect(wordDiff('', '')).toEqual([])
  })
})

describe('the quick layout', () => {
  test('every edge goes forwards, and no two nodes overlap', () => {
    const { steps } = JSON.parse(thousandSteps()) as { steps: { id: string; dependencies: string[] }[] }
    const place = new Map(steps.map(({ id }, index) => [id, index]))
    const dependencies = steps.map((step) => step.dependencies.map((id) => place.get(id)!))
    for (const direction of ['LR', 'TB'] as const) {
      const { nodes, edges, width, height } = layeredLayout({ dependencies, direction })
      expect(nodes.length).toBe(1000)
      expect(edges.length).toBe(dependencies.flat().length)
      for (const { from, to } of edges) {
        const [a, b] = [nodes[from]!, nodes[to]!]
        expect(direction === 'LR' ? b.x - a.x : b.y - a.y).toBeGreaterThan(0)
      }
      const boxes = new Set(nodes.map(({ x, y }) => `${Math.round(x)} ${Math.round(y)}`))
      expect(boxes.size).toBe(1000)
      expect(Math.max(...nodes.map(({ x }) => x)) + nodeSize.width / 2).toBeLessThanOrEqual(width)
      expect(Math.max(...nodes.map(({ y }) => y)) + nodeSize.height / 2).toBeLessThanOrEqual(height)
    }
  })

  test('a circle and an unknown step do not trouble it; neither does a chain of any length', () => {
    expect(layeredLayout({ dependencies: [[1], [0], [9]], direction: 'LR' }).nodes.length).toBe(3)
    const chain = Array.from({ length: 20_000 }, (_, at) => (at === 0 ? [] : [at - 1]))
    expect(layeredLayout({ dependencies: chain, direction: 'LR' }).edges.length).toBe(19_999)
    expect(layeredLayout({ dependencies: [], direction: 'TB' }).nodes).toEqual([])
  })
})

test('long names lose their middle, and nothing is lost of what is cut in two', () => {
  expect([middle('access-log-review', 9), middle('short', 9)]).toEqual(['acce…view', 'short'])
  for (const name of ['a', 'access-log-review', 'exactly-16-chars', '𝄞'.repeat(40)]) {
    expect(headAndTail(name).join('')).toBe(name)
    expect([...middle(name, 12)].length).toBeLessThanOrEqual(12)
  }
})

test('calls in lanes never overlap in a row, and the overview adds up to their time', () => {
  const model = new RunModel()
  const info = (id: string) => ({ id, dependencies: [], files: [] }) as never
  model.apply({ type: 'steps', at: 0, steps: Array.from({ length: 60 }, (_, at) => info(`s${at}`)) })
  const next = random(11)
  let total = 0
  for (const { bars, info } of model.rows) {
    const provider = next() > 0.5 ? 'groq' : 'openai'
    const from = Math.floor(next() * 900)
    const to = from + 1 + Math.floor(next() * 100)
    total += to - from
    model.providers.add(provider)
    bars.push({ provider, model: info.id, purpose: 'main', from, to, end: 'ok' } as never)
  }
  const lanes = packed(model)
  expect(lanes.reduce((sum, { calls }) => sum + calls.length, 0)).toBe(60)
  for (const { calls, rows } of lanes) {
    for (let row = 0; row < rows; row += 1) {
      const own = calls.filter((call) => call.row === row)
      expect(own.length).toBeGreaterThan(0)
      own.slice(1).forEach(({ bar }, at) => expect(bar.from).toBeGreaterThanOrEqual(own[at]!.bar.to!))
    }
  }
  const seen = underWay(lanes, 1000, 40).flat()
  expect(seen.reduce((sum, count) => sum + count * 25, 0)).toBeCloseTo(total)
})

describe('plans in addresses', () => {
  test('come back as they were', async () => {
    for (const text of ['{}', '{"steps":[]}\n', 'Größe ✓ 𝄞', thousandSteps(40)]) {
      const fragment = await shareFragment({ plan: text, mode: 'fast' })
      expect(fragment).toMatch(/^#plan=[\w-]+&mode=fast$/)
      expect(await sharedPlan(fragment!)).toEqual({ plan: text, mode: 'fast' })
      // As links were made before they told the mode.
      expect(await sharedPlan(fragment!.replace(/&.*/, ''))).toEqual({ plan: text, mode: '' })
    }
    expect(await sharedPlan('')).toBeUndefined()
    expect(await sharedPlan('#elsewhere')).toBeUndefined()
  })

  test('too large is told, damaged and blown up are refused', async () => {
    const next = random(7)
    const noise = Array.from({ length: 30_000 }, () => String.fromCharCode(33 + Math.floor(next() * 90))).join('')
    expect(await shareFragment({ plan: noise, mode: 'fast' })).toBeUndefined()
    await expect(sharedPlan('#plan=AAAA')).rejects.toThrow()
    await expect(sharedPlan('#plan=%%%')).rejects.toThrow()
    // A few kilobytes that would become many megabytes.
    const bomb = await shareFragment({ plan: ' '.repeat(5 << 20), mode: '' })
    await expect(sharedPlan(bomb!)).rejects.toThrow('too large')
  })
})

test('the schema answers for every place of a plan', () => {
  const schema = new PlanSchema(JSON.parse(readFileSync(projectPath('core/plan/plan.schema.json'), 'utf8')) as Schema)
  expect(schema.at(['steps', 3, 'complexity'])?.default).toBe(0.5)
  expect(typeWords(schema.at(['steps', 0, 'complexity'])!)).toBe('number from 0 to 1; default 0.5')
  expect(valuesOf(schema.at(['steps', 0, 'output'])!)).toEqual(['"code"', '"json"', '"text"'])
  expect(valuesOf(schema.at(['steps', 0, 'optional'])!)).toEqual(['true', 'false'])
  expect(valuesOf(schema.at(['steps', 0, 'type'])!)).toContain('"testing"')
  expect(schema.at(['steps', 0, 'dependencies', 1])?.description).toContain('1 to 128 bytes')
  expect(schema.at(['nothing', 'here'])).toBeUndefined()
})

test('the version in the code is that of the package', () => {
  const { version: known } = JSON.parse(readFileSync(projectPath('package.json'), 'utf8')) as { version: string }
  expect(version).toBe(known)
})
