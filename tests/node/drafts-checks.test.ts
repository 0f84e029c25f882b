/** Drafts of steps whose answers are checked: the check comes first, and costs no verdict where it fails. */
import { describe, expect, test } from '@jest/globals'
import type { CallTicket } from '../../bindings/performer.js'
import { planOf, played, step, verdicts } from './checked-play.js'

describe('drafts of what is checked', () => {
  const plan = planOf(step('a', { output_file: 'a.js', draft: 'always', estimated_tokens: 600 }))
  const good = 'export const a = 1\nexport const b = 2\nexport const c = 3\n'
  const calls = (tickets: readonly CallTicket[]): string[] => tickets.map(({ purpose }) => purpose)

  test('one that passes is verified then, and delivered', async () => {
    const { result, checked, tickets } = await played(plan, ({ purpose }) =>
      purpose === 'verify' ? '{"verdict":"accept"}' : purpose === 'judge' ? '{"better":"same"}' : good,
    )
    expect(verdicts(checked)).toEqual([['draft', true]])
    expect(calls(tickets).slice(0, 2)).toEqual(['draft', 'verify'])
    expect(result.report.steps[0]).toMatchObject({ state: 'done', draft: 'draft_accepted', check: { pass: true } })
    expect(result.outputs.get('a')).toBe(good)
  })

  test('one that fails is never verified: the full answer is the first try', async () => {
    const { result, checked, tickets } = await played(plan, ({ purpose }) =>
      purpose === 'draft' ? 'const a = (' : good,
    )
    expect(verdicts(checked)).toEqual([
      ['draft', false],
      ['main', true],
    ])
    expect(calls(tickets)).toEqual(['draft', 'main'])
    expect(tickets[1]?.issues).toBeUndefined()
    expect(result.report.steps[0]).toMatchObject({ state: 'done', draft: 'draft_failed', check: { answers: 2 } })
  })

  test('a patch has passed no check: the full answer goes on from what stands before it, and is checked', async () => {
    const patch = '{"verdict":"patch","edits":[{"from":3,"to":3,"text":"const ("}]}'
    const { result, checked, tickets } = await played(plan, ({ purpose }) => (purpose === 'verify' ? patch : good))
    expect(verdicts(checked)).toEqual([
      ['draft', true],
      ['main', true],
    ])
    expect(calls(tickets)).toEqual(['draft', 'verify', 'main'])
    expect(result.report.steps[0]).toMatchObject({ state: 'done', draft: 'draft_rejected' })
    expect(result.outputs.get('a')).not.toContain('const (')
  })
})
