// Situations of the call path from public bug reports of gateways and clients: each against the real host, over real sockets.
//   AETHERFLOW_CALL_PATH=DIR    plays the case.json files of that folder too, and holds them to what folder.ts knows to be right
import { describe, expect, jest, test } from '@jest/globals'
import { connectionCases } from './cases-connections.js'
import { refusalCases } from './cases-refusals.js'
import { replyCases } from './cases-replies.js'
import { casesIn } from './folder.js'
import { play, type Played } from './player.js'
import type { OwnCase } from './shapes.js'

jest.setTimeout(60_000)

const limits = ({ asked }: Played): number[] =>
  asked
    .filter(({ provider }) => provider !== 'beta')
    .map(({ body }) => {
      const google = body['generationConfig'] as { maxOutputTokens?: number } | undefined
      return Number(body['max_tokens'] ?? body['max_completion_tokens'] ?? google?.maxOutputTokens)
    })

const costOf = ({ events }: Played): number =>
  events.flatMap((event) => (event.type === 'finish' ? [event.costMicroUsd] : []))[0]!

/** What is right of every case, whatever it expects. */
function agrees(played: Played): void {
  // A key goes nowhere but into its header.
  expect(JSON.stringify([played.events, played.outputs])).not.toMatch(/k-alpha|k-beta/)
  for (const { headers } of played.asked) expect(headers['user-agent']).toMatch(/^aetherflow\//)
  expect(played.events.filter(({ type }) => type === 'finish')).toHaveLength(1)
}

function holds({ right }: OwnCase, played: Played): void {
  const { requests, outputs, failures } = played
  if (right.requests !== undefined) expect(requests).toEqual(right.requests)
  if (right.output !== undefined) expect(outputs).toEqual({ a: right.output })
  if (right.outputs !== undefined) expect(outputs).toEqual(right.outputs)
  if (right.outcome !== undefined) expect(played.result.outcome).toBe(right.outcome)
  if (right.failure !== undefined) expect(failures.map(({ failure }) => failure)).toEqual([right.failure])
  if (right.words !== undefined) expect(failures.map(({ message }) => message).join()).toContain(right.words)
  if (right.costMicroUsd !== undefined) expect(costOf(played)).toBe(right.costMicroUsd)
  if (right.widens === true) {
    const asked = limits(played)
    expect(asked.length).toBeGreaterThan(1)
    expect(asked).toEqual([...new Set(asked)].sort((a, b) => a - b))
  }
  const answers = played.events.flatMap((event) => (event.type === 'answer' ? [event] : []))
  if (right.estimated === true) expect(answers.map(({ tokensEstimated }) => tokensEstimated)).toEqual([true])
  if (right.outputTokens !== undefined) expect(answers[0]!.tokens.output).toBeGreaterThanOrEqual(right.outputTokens)
}

const families: readonly (readonly [string, readonly OwnCase[]])[] = [
  ['refusals', refusalCases],
  ['replies', replyCases],
  ['connections', connectionCases],
]
describe.each(families)('%s', (_, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const played = await play(one)
    agrees(played)
    holds(one, played)
  })
})

// A folder whose cases have no server but this one's, and no clock but the real one: some wait a minute for a limit.
const folder = process.env['AETHERFLOW_CALL_PATH']
if (folder === undefined) console.warn('SKIPPED: no folder of further cases in AETHERFLOW_CALL_PATH')
const others = folder === undefined ? [] : casesIn(folder)

;(folder === undefined ? describe.skip : describe)('cases of a folder', () => {
  test('are there', () => expect(others.length).toBeGreaterThan(0))

  if (others.length > 0)
    test.each(others.map((one) => [one.name, one] as const))(
      '%s',
      async (name, one) => {
        const played = await play(one)
        agrees(played)
        if (one.right !== undefined) return holds({ ...one, right: one.right }, played)
        const { requests, outputs, failures } = played
        const came = { requests, outputs, failures, cost: costOf(played) }
        console.warn(`NOT CHECKED: nothing says what is right of ${name}: ${JSON.stringify(came)}, ${one.expected}`)
      },
      100_000,
    )
})
