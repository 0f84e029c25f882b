/** The commands that the README shows, each twice in a row in one folder: what worked once works again. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../checks/sources.js'
import { plan, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
/** As written, without what is said beside them. */
const shown = [...readme.matchAll(/^npx aetherflow (.+?)(?: {2,}.*)?$/gm)].map(([, command = '']) => command)

/** What replaces the providers, for which no key is here; undefined: a server that goes on until it is stopped, tested elsewhere. */
const instead: Readonly<Record<string, readonly string[] | undefined>> = {
  init: [],
  providers: ['--simulate', '--offline'],
  check: [],
  explain: ['--simulate'],
  run: ['--simulate', '--quiet'],
  replay: [],
  playground: undefined,
  mcp: undefined,
  usage: [],
  serve: undefined,
  guide: [],
  generate: ['--simulate'],
}
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

let folder = ''
let remove = (): void => {}
beforeAll(() => {
  ;({ folder, remove } = scratch())
  copyFileSync(plan('diamond'), path.join(folder, 'plan.json'))
})
afterAll(() => remove())

test('every kind of command that the README shows is known here, and none that it does not show', () => {
  const kinds = new Set(shown.map((command) => wordsOf(command)[0]))
  expect([...kinds].sort()).toEqual(Object.keys(instead).sort())
})

// In the order of the README, in one folder: a replay finds what a run left.
test.each(shown.filter((command) => instead[wordsOf(command)[0] ?? ''] !== undefined))('%s, twice', async (command) => {
  const words = wordsOf(command)
  for (const time of ['first', 'second']) {
    const { code, stderr } = await aetherflow([...words, ...(instead[words[0] ?? ''] ?? [])], '', { cwd: folder })
    expect([time, code, stderr]).toEqual([time, 0, expect.not.stringContaining('error ')])
  }
})

test('what npm start runs, twice', async () => {
  const script = readFileSync(path.join(root, 'scripts/start.mjs'), 'utf8')
  const [, started = ''] = /const plan = '([^']+)'/.exec(script) ?? []
  expect(script).toContain("['run', plan, '--simulate'")
  for (const time of ['first', 'second']) {
    const { code, stderr } = await aetherflow(['run', path.join(root, started), '--simulate'], '', { cwd: folder })
    expect([time, code, stderr]).toEqual([time, 0, ''])
  }
})
