/** What strangers wrote is believed in nothing: folders of runs, plans that ask for secrets, misspelt configurations, texts with escapes. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { JournalLines } from '../../bindings/journal/journal.js'
import { FaultServer } from '../faults/fault-server.js'
import { canary, configOf, plan, step } from '../faults/host.js'
import { Process, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

let folder = ''
let remove = (): void => {}
let server: FaultServer
beforeEach(async () => {
  ;({ folder, remove } = scratch())
  server = await FaultServer.start()
  put('config.json', configOf(server))
})
afterEach(async () => {
  Process.endAll()
  await server.close()
  remove()
})

const at = (...names: string[]): string => path.join(folder, ...names)
function put(name: string, value: object | string): void {
  mkdirSync(path.dirname(at(name)), { recursive: true })
  writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value))
}
const run = (words: readonly string[], cwd = folder, env: Readonly<Record<string, string>> = {}) =>
  aetherflow(['run', ...words, '--config', at('config.json')], '', { cwd, env })
const prompts = (): number => server.ledger.entries.length

type Line = Record<string, unknown>
/** The journal of `out` with other lines, and checksums that fit: what somebody else could have written. */
function forge(change: (lines: Line[]) => Line[]): void {
  const file = at('out/journal.jsonl')
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const writer = new JournalLines()
  const parsed = lines.map((line) => {
    const { crc: _crc, ...rest } = JSON.parse(line) as Line
    return rest
  })
  writeFileSync(
    file,
    change(parsed)
      .map((line) => writer.line(JSON.stringify(line).slice(1, -1)))
      .join(''),
  )
}
/** A run that was interrupted before its first answer; `files`: context of its step. */
async function interrupted(files: readonly string[] = [], ...words: string[]): Promise<void> {
  put('plans/p.json', plan(step('a', files.length === 0 ? {} : { context: { files } })))
  server.script([{ fault: () => ({ instead: 'silence' }) }])
  const started = new Process(
    ['run', 'plans/p.json', '--output', 'out', '--json', '--config', 'config.json', ...words],
    { cwd: folder },
  )
  await started.until('"type":"prompt"')
  started.child.kill('SIGKILL')
  await started.exit()
  server.script([])
}
/** The table with answers that cost nothing. */
function free(table: Line): Line {
  const alpha = { ...((table['providers'] as Line)['alpha'] as Line), models: { 'alpha-1': { in: 0, out: 0 } } }
  return { ...table, providers: { ...(table['providers'] as Line), alpha } }
}
const options = (line: Line | undefined): Line => JSON.parse(String(line?.['options'])) as Line

describe('a folder of a run from somebody else', () => {
  test('does not say where files are read: what is named does', async () => {
    put('plans/notes.txt', 'a note')
    put('private/notes.txt', 'TOP-SECRET')
    await interrupted(['notes.txt'])
    const before = prompts()
    for (const files of ['../private', '/', '..', '../plans'])
      for (const cwd of [folder, at('plans')]) {
        // Where he stands is his to say.
        if (path.resolve(at('out'), files) === cwd) continue
        forge(([header, ...rest]) => [{ ...header, files }, ...rest])
        const { code, stderr } = await run(['--output', at('out'), '--resume'], cwd)
        expect([code, stderr]).toEqual([2, expect.stringMatching(/^error host\.usage at --files: /)])
      }
    expect(prompts()).toBe(before)
    const { code } = await run(['plans/p.json', '--output', 'out', '--resume'])
    expect([code, prompts()]).toEqual([0, before + 1])
  })

  test('does not say which cache is opened, nor with which model', async () => {
    await interrupted()
    const place = { dir: at('stolen'), model: 'http://127.0.0.1:9/model' }
    forge(([header, begin, ...rest]) => [
      header ?? {},
      { ...begin, options: JSON.stringify({ ...options(begin), cacheAt: place, cache: { '*': 'exact' } }) },
      ...rest,
    ])
    const { code, stderr } = await run(['plans/p.json', '--output', 'out', '--resume'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--cache ${place.dir} --cache-model ${place.model}`)])
    expect(readdirSync(folder)).not.toContain('stolen')
  })

  test.each<[string, string[], (table: Line) => Line, RegExp]>([
    ['a budget', ['--budget', '0.01'], ({ budget: _budget, ...table }) => table, /no budget/],
    ['a smaller budget', ['--budget', '0.01'], (table) => ({ ...table, budget: { run: { usd: 9 } } }), /a budget of 9/],
    ['a price', [], free, /other providers/],
    ['what is done where', [], (table) => ({ ...table, modes: {} }), /other modes/],
  ])('does not take away %s', async (_, flags, change, words) => {
    if (flags.length > 0) put('config.json', { ...configOf(server), budget: { run: { usd: 0.01 } } })
    await interrupted([], ...flags)
    forge(([header, begin, ...rest]) => {
      const known = options(begin)
      const changed = { ...known, table: change(known['table'] as Line) }
      return [header ?? {}, { ...begin, options: JSON.stringify(changed) }, ...rest]
    })
    const before = prompts()
    const { code, stderr } = await run(['plans/p.json', '--output', 'out', '--resume'])
    expect([code, stderr]).toEqual([2, expect.stringMatching(words)])
    expect(prompts()).toBe(before)
    const { code: reused } = await run(['plans/p.json', '--output', 'out', '--reuse'])
    expect([reused, prompts()]).toEqual([0, before + 1])
  })

  test.each<[string, (lines: Line[]) => Line[]]>([
    ['no options first', ([header, begin, ...rest]) => [header ?? {}, ...rest, begin ?? {}]],
    ['options that are no object', ([header, begin]) => [header ?? {}, { ...begin, options: '[]' }]],
    ['options that are no text', ([header, begin]) => [header ?? {}, { ...begin, options: 5 }]],
    ['options that are no JSON', ([header, begin]) => [header ?? {}, { ...begin, options: '{' }]],
    ['no kind', ([header, begin]) => [header ?? {}, { t: 0, table: begin?.['table'] }]],
    ['a time that is text', ([header, begin]) => [header ?? {}, { ...begin, t: '0' }]],
    ['a header with numbers', ([header, ...rest]) => [{ ...header, files: 7 }, ...rest]],
    ['a header without a run', ([header, ...rest]) => [{ ...header, run: undefined }, ...rest]],
  ])('with %s is damaged, and nothing else', async (_, change) => {
    await interrupted()
    forge(change)
    for (const words of [['--resume'], ['--reuse'], ['--resume', '--no-output']].slice(0, 2)) {
      const { code, stderr } = await run(['plans/p.json', '--output', 'out', ...words])
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^error host\.journal_damaged at out\/journal\.jsonl: /),
      ])
    }
    const replayed = await aetherflow(['replay', 'out'], '', { cwd: folder })
    expect([replayed.code, replayed.stderr]).toEqual([1, expect.stringMatching(/^error host\.journal_damaged /)])
  })

  test('with an odd record later is gone on with from before it', async () => {
    await interrupted()
    forge((lines) => [...lines, { t: 5, e: 'succeeded', v: 'everything' }, { t: 6, e: 'nonsense', v: [] }])
    const { code, stdout } = await run(['plans/p.json', '--output', 'out', '--resume'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('host.journal_damaged')])
  })
})

describe('a plan does not take along', () => {
  const ask = async (files: readonly string[], ...flags: string[]) => {
    put('home/p.json', plan(step('a', { context: { files } })))
    const ended = await run([at('home/p.json'), '--no-output', ...flags], folder, {
      HOME: at('home'),
      XDG_CONFIG_HOME: at('home/settings'),
    })
    return { ...ended, told: ended.stdout + ended.stderr }
  }
  const privateKey = ['-----BEGIN OPENSSH', 'PRIVATE KEY-----\nAAAA\n'].join(' ')

  test.each<[string, string]>([
    ['.ssh/id_ed25519', 'x'],
    ['.config/aetherflow/config.json', '{}'],
    ['.env', 'A=1'],
    ['src/.npmrc', 'x'],
    ['id_rsa', 'x'],
    ['deploy/server.pem', 'x'],
    ['Store.P12', 'x'],
    ['prod.env', 'x'],
    ['credentials.json', '{}'],
    ['secrets.yaml', 'x'],
    ['service-account-prod.json', '{}'],
    ['settings/aetherflow/config.json', '{}'],
    ['notes.txt', privateKey],
  ])('%s, unless the command line names it', async (name, text) => {
    put(`home/${name}`, text)
    const refused = await ask([name])
    expect([refused.code, refused.told]).toEqual([1, expect.stringContaining('host.file_refused')])
    expect([refused.told, prompts()]).toEqual([expect.stringContaining('--allow-file'), 0])
    const allowed = await ask([name], '--allow-file', name)
    expect([allowed.code, prompts()]).toEqual([0, 1])
  })

  test('a secret behind a link of another name, or below a hidden folder of one', async () => {
    put('home/.ssh/id_rsa', 'x')
    symlinkSync(at('home/.ssh/id_rsa'), at('home/notes.txt'))
    symlinkSync(at('home/.ssh'), at('home/keys'))
    for (const name of ['notes.txt', 'keys/id_rsa']) expect((await ask([name])).code).toBe(1)
    expect(prompts()).toBe(0)
  })

  test('a key that is configured, in whatever file and by whatever flag', async () => {
    put('home/notes.txt', `my key is ${canary}.`)
    for (const flags of [[], ['--allow-file', 'notes.txt']]) {
      const { code, told } = await ask(['notes.txt'], ...flags)
      expect([code, told]).toEqual([1, expect.stringContaining('host.file_refused')])
      expect(told).not.toContain(canary)
    }
    expect(prompts()).toBe(0)
  })

  test('nothing else is held back: sources, texts and tables go', async () => {
    const names = ['a.ts', 'keys.ts', 'tokenizer.json', 'environment.md', 'public.pub', 'secretary.txt']
    for (const name of names) put(`home/${name}`, 'text')
    expect((await ask(names)).code).toBe(0)
  })
})

describe('a configuration', () => {
  const misspelt = 'sk-misspelt-canary-99zz88yy'
  test.each<[string, object, string]>([
    ['apiKey', { apiKey: misspelt }, "'key'"],
    ['token', { token: misspelt }, "'key'"],
    ['api_key', { api_key: misspelt }, "'key'"],
    ['baseURL', { baseURL: 'http://127.0.0.1:9' }, "'baseUrl'"],
    ['base_url', { base_url: 'http://127.0.0.1:9' }, "'baseUrl'"],
    ['price', { models: { 'alpha-1': { price: 1 } } }, "model 'alpha-1'"],
  ])('with %s is refused before anything is called, with the name that is meant', async (name, more, meant) => {
    put('config.json', configOf(server, { providers: { alpha: more } }))
    put('p.json', plan(step('a')))
    const { code, stderr } = await run(['p.json', '--output', 'out'])
    expect([code, stderr]).toEqual([2, expect.stringContaining(`unknown member '${name}'`)])
    expect(stderr).toContain(meant)
    expect(stderr).not.toContain(misspelt)
    expect([prompts(), readdirSync(folder).sort()]).toEqual([0, ['config.json', 'p.json']])
  })
})

describe('escapes, C1 and bidi characters of a plan are shown, and never obeyed', () => {
  const nasty = '\u001b]0;PWNED\u0007\u009b31mRED\u202egpj'
  const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
  const plans: [string, object][] = [
    ['in a dependency', plan(step('a', { dependencies: [nasty] }))],
    ['in a type', plan(step('a', { type: nasty }))],
    ['in an id', plan(step(`b${nasty}`))],
    ['in a file', plan(step('a', { context: { files: [nasty] } }))],
    ['in a member', plan(step('a', { [nasty]: 1 }))],
    ['in the task', { ...plan(step('a', { dependencies: ['a'] })), task_id: nasty }],
  ]
  test.each(plans)('%s', async (_, source) => {
    put('p.json', source)
    const commands = [
      ['check', 'p.json'],
      ['check', 'p.json', '--dot'],
      ['check', 'p.json', '--json'],
      ['explain', 'p.json'],
      ['run', 'p.json', '--simulate', 'instant'],
    ]
    for (const words of commands) {
      const { stdout, stderr } = await aetherflow(words, '', { cwd: folder, env: { AETHERFLOW_DEBUG: '1' } })
      expect([words, obeyed.exec(stdout + stderr)]).toEqual([words, null])
    }
  })
})
