// Situations of the call path from public bug reports of gateways and clients: each against the real host, over real sockets.
//   AETHERFLOW_CALL_PATH=DIR    plays the case.json files of that folder too, and prints what happened beside what is right
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { connectionCases } from './cases-connections.js'
import { refusalCases } from './cases-refusals.js'
import { replyCases } from './cases-replies.js'
import { play, type CallPathCase, type Played } from './player.js'
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

const folder = process.env['AETHERFLOW_CALL_PATH']
const others =
  folder === undefined ? [] : readdirSync(folder).filter((name) => existsSync(join(folder, name, 'case.json')))
if (folder === undefined) console.warn('SKIPPED: no folder of further cases in AETHERFLOW_CALL_PATH')

;(folder === undefined ? describe.skip : describe)('cases of a folder', () => {
  test.each(others.length > 0 ? others : ['none'])('%s ends, and keeps keys and money together', async (name) => {
    const one = JSON.parse(readFileSync(join(folder!, name, 'case.json'), 'utf8')) as CallPathCase
    const played = await play(one)
    const { requests, outputs, failures } = played
    console.log(JSON.stringify({ name, right: one.expected, requests, outputs, failures, cost: costOf(played) }))
    agrees(played)
  })
})
