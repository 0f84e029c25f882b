/** `aetherflow drafts`: what is kept between runs is shown, exported and forgotten; simulated runs leave nothing. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DraftBook } from '../../web/standard/draft/book.js'
import { loadLimits } from '../../node/loader.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const pair = { type: 'testing', draft: 'groq/fast', verifier: 'deepseek/strong' }

let folder = ''
let remove = (): void => {}
let file = ''
let kept = ''
beforeAll(async () => {
  ;({ folder, remove } = scratch())
  file = path.join(folder, 'aetherflow/drafts.json')
  const book = new DraftBook(await loadLimits())
  for (let index = 0; index < 7; index++) book.told(pair, 'rejected')
  kept = JSON.stringify(book.toJSON())
})
afterAll(() => remove())

const drafts = (...words: string[]) => aetherflow(['drafts', ...words], '', { env: { XDG_STATE_HOME: folder } })
const keep = (text: string): void => {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
}

test('nothing is known at first, nor of a file that is none', async () => {
  expect((await drafts()).stdout).toBe('nothing is known of drafts yet\n')
  for (const text of ['{', '[]', '{"version":2}', '{"version":1,"prompts":1,"pairs":[{"type":"\\u001b[31m"}]}']) {
    keep(text)
    expect(await drafts()).toMatchObject({ code: 0, stdout: 'nothing is known of drafts yet\n' })
  }
})

test('a pair is shown, exported as it is kept, and forgotten', async () => {
  keep(kept)
  const { stdout } = await drafts()
  expect(stdout).toMatch(/testing +groq\/fast +deepseek\/strong +0 of 7 +0 +0 of 0 +off: too few accepted/)
  expect(JSON.parse((await drafts('export')).stdout)).toEqual(JSON.parse(kept))
  const copy = path.join(folder, 'copy.json')
  expect((await drafts('export', copy)).code).toBe(0)
  expect(JSON.parse(readFileSync(copy, 'utf8'))).toEqual(JSON.parse(kept))
  expect((await drafts('reset')).code).toBe(0)
  expect(existsSync(file)).toBe(false)
})

test('a simulated run drafts, tells so, and leaves nothing behind', async () => {
  const plan = JSON.stringify({
    task_id: 't',
    description: 'd',
    steps: [{ id: 'a', type: 'testing', description: 'do a', estimated_tokens: 300 }],
  })
  const words = ['run', '-', '--simulate', 'instant', '--draft', 'always', '--json', '--no-output']
  const { stdout } = await aetherflow(words, plan, { env: { XDG_STATE_HOME: folder } })
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; report?: { drafts?: object } })
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['provisional', 'confirmed', 'finish']))
  expect(events.find(({ report }) => report !== undefined)?.report?.drafts).toMatchObject({ eligible: 1, accepted: 1 })
  expect(existsSync(file)).toBe(false)
})
