/**
 * The commands that documents show. Those of the README, of the examples and of `npm start` are carried out, each twice in a row in one
 * folder: what worked once works again. Of all others the command and its flags are known to the program.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { main } from '../../node/cli/program.js'
import { systemClock } from '../../web/standard/clock.js'
import { root, sources } from '../checks/sources.js'
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
  bench: ['--simulate'],
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

test('the command that the examples show, twice', async () => {
  const examples = readFileSync(path.join(root, 'examples/README.md'), 'utf8')
  const [, words = ''] = /`aetherflow (run examples[^`]+)`/.exec(examples) ?? []
  for (const time of ['first', 'second']) {
    // In a folder of its own: the plan is found from the project's.
    const command = [...wordsOf(words.replace('examples/plans', path.join(root, 'examples/plans'))), 'instant']
    const { code, stderr } = await aetherflow(command, '', { cwd: folder })
    expect([time, code, stderr]).toEqual([time, 0, ''])
  }
})

/** The help of a command, in this process. */
async function help(...words: string[]): Promise<string> {
  let told = ''
  const stdout = { write: (text: string) => (told += text) }
  const stdin = (async function* () {})()
  const signal = new AbortController().signal
  await main([...words, '--help'], { stdin, stdout, stderr: stdout, env: {}, clock: systemClock, signal })
  return told
}

/** Every `aetherflow …` in the code of a document; a usage that goes on over lines is one. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?!json|js|ts|html)\w*\n([^]*?)^```/gm)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.replace(/\n +(?=[[|])/g, ' ').split('\n'))
  const shownInBlocks = lines.flatMap((line) => /^(?:npx )?aetherflow (.+?)(?: {3,}.*)?$/.exec(line)?.[1] ?? [])
  const spans = [...text.matchAll(/`(?:npx )?aetherflow ([^`]+)`/g)].map(([, words = '']) => words)
  return [...shownInBlocks, ...spans]
}

test('commands and flags that documents name are known to the program', async () => {
  const names = [...(await help()).matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name)
  expect(names).toContain('explain')
  const helps = new Map<string, string>()
  for (const name of names) {
    const whole = await help(name)
    // Commands of commands: `cache list`.
    const below = /^Commands:\n([^]*)/m.exec(whole)?.[1] ?? ''
    const inner = [...below.matchAll(/^ {2}([a-z]+)/gm)].map(([, one = '']) => one).filter((one) => one !== 'help')
    helps.set(name, [whole, ...(await Promise.all(inner.map((one) => help(name, one))))].join('\n'))
  }
  const documents = sources(['.md']).filter(({ path: file }) => !/fixtures|CHANGELOG|traces/.test(file))
  const found = documents.flatMap(({ path: file, text }) => commandsIn(text).map((command) => ({ file, command })))
  expect(found.length).toBeGreaterThan(30)
  const unknown = found.flatMap(({ file, command }) => {
    const [, name = ''] = /^(--?[\w-]+|[a-z]+)/.exec(command) ?? []
    if (name.startsWith('-')) return []
    const known = helps.get(name)
    if (known === undefined) return [`${file}: aetherflow ${name}`]
    const flags = command.match(/(?<![\w-])--[a-z-]+/g) ?? []
    return flags.filter((flag) => !known.includes(flag)).map((flag) => `${file}: aetherflow ${name} … ${flag}`)
  })
  expect(unknown).toEqual([])
})
