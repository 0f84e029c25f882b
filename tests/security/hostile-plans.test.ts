/** A plan is untrusted input: it names no address and no key, leaves its folder in no way, and is never evaluated. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { checkPlan, runPlan } from '../../node/index.js'
import { FaultServer } from '../faults/fault-server.js'
import { canary, configOf, once, plan, run, step } from '../faults/host.js'
import { answer } from '../faults/wire.js'
import { scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { everything, filesBelow } from './secrets.js'

jest.setTimeout(60_000)

let server: FaultServer
let evil: FaultServer
beforeAll(async () => void ([server, evil] = await Promise.all([FaultServer.start(), FaultServer.start()])))
afterAll(() => Promise.all([server.close(), evil.close()]))

let folder = ''
let remove = (): void => {}
beforeEach(() => {
  ;({ folder, remove } = scratch())
  server.script([])
  server.ledger.entries.length = 0
  evil.ledger.entries.length = 0
})
afterEach(() => remove())

/** A plan as it comes over a pipe. */
async function* streamed(source: unknown): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(JSON.stringify(source))
}

const codeOf = (run: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(run).then(
    () => undefined,
    (error: unknown) => (error as { code?: unknown }).code,
  )

describe('addresses and keys', () => {
  const names = ['baseUrl', 'base_url', 'api_base', 'apiBase', 'url', 'endpoint', 'host', 'proxy', 'key', 'api_key']
  const members = (): object => ({
    ...Object.fromEntries(names.map((name) => [name, evil.at('taken')])),
    headers: { authorization: 'Bearer stolen', host: 'evil' },
    providers: { alpha: { baseUrl: evil.at('taken'), key: 'stolen' } },
    config: { providers: { alpha: { baseUrl: evil.at('taken') } } },
    table: { providers: { alpha: { baseUrl: evil.at('taken') } } },
  })
  test('members of a plan, a step, its context or its metadata move no request and change no key', async () => {
    const plain = plan(step('a'))
    await run(server, plain, { policy: once })
    const loaded = { ...plan(step('a', { ...members(), context: members() })), ...members(), metadata: members() }
    const ran = await run(server, loaded, { policy: once })
    expect(ran.outcome).toBe('ok')
    expect(ran.warnings.map(({ code }) => code)).toContain('plan.unknown_member')
    expect(evil.ledger.entries).toEqual([])
    const [before, after] = server.ledger.entries
    expect(server.ledger.entries.length).toBe(2)
    // What is in a step's context is a fact for the prompt, as text.
    for (const same of ['path', 'model', 'credential', 'maxTokens'] as const)
      expect(after?.[same]).toEqual(before?.[same])
  })

  test.each([
    ['an address', () => evil.at('taken')],
    ['an address as the model', () => `alpha/${evil.at('taken')}`],
    ['a path out of the base', () => 'alpha/../../taken'],
    ['a query', () => 'alpha/alpha-1?key=x'],
    ['a fragment', () => 'alpha/alpha-1#x'],
    ['a prototype', () => '__proto__'],
    ['a constructor', () => 'constructor/prototype'],
    ['a line break', () => 'alpha\r\nx-evil: 1'],
    ['somebody else’s model', () => 'alpha/beta-1'],
  ])('%s is no provider', async (_, provider) => {
    const options = { config: configOf(server) }
    expect(await codeOf(runPlan(plan(step('a', { provider: provider() })), options))).toBe('route.unknown_provider')
    expect([...server.ledger.entries, ...evil.ledger.entries]).toEqual([])
  })

  test('a model’s name of the configuration stays one part of the path', async () => {
    const odd = '../../taken?x=1#y'
    const models = { [odd]: { in: 1, cached: 1, out: 1 } }
    const providers = { alpha: { dialect: 'gemini', default: odd, models } }
    await run(server, plan(step('a')), { policy: once, providers })
    expect(server.ledger.entries.map((entry) => entry.path)).toEqual([
      `/alpha/models/${encodeURIComponent(odd)}:streamGenerateContent?alt=sse`,
    ])
  })

  test('the prompt has no address, key or name of the provider in it', async () => {
    await run(server, plan(step('a'), step('b', { dependencies: ['a'] })), { policy: once })
    const prompts = server.ledger.entries.map(({ prompt }) => prompt).join('')
    for (const word of [canary, '127.0.0.1', 'alpha']) expect(prompts).not.toContain(word)
  })
})

describe('names of outputs', () => {
  const hostile = [
    ...[
      '../../escaped',
      '..',
      '.',
      '/etc/passwd',
      '..\\..\\escaped',
      'C:\\x',
      'C:x',
      '//host/share',
      '~',
      '~/x',
      '-rf',
    ],
    ...[
      'CON',
      'nul.txt',
      'com1',
      'aux.',
      'x.',
      'x ',
      ' x',
      'a:b',
      'a|b',
      '%2e%2e%2f',
      '%00',
      '$(id)',
      '`id`',
      '${HOME}',
    ],
    ...['\u202etxt.exe', 'a\u2215b', '\uff0e\uff0e\uff0fx', 'é', 'e\u0301', 'K', '\u212a', 'ﬁle', '漢'.repeat(42)],
    ...[
      'x'.repeat(128),
      `${'x'.repeat(127)}y`,
      '.part',
      '.git',
      'run.json',
      '../run.json',
      'report.md',
      'journal.jsonl',
    ],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'run.lock.1'],
  ]

  test('every one ends inside the folder, each in a file of its own', async () => {
    const out = path.join(folder, 'deep', 'out')
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(configOf(server, { policy: once })))
    const steps = hostile.map((id, at) => step(id, { description: `#step=${at}#`, provider: 'alpha' }))
    writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan(...steps)))
    const words = ['run', path.join(folder, 'plan.json'), '--config', path.join(folder, 'config.json')]
    const { code, stderr } = await aetherflow([...words, '--output', out, '--quiet'])
    expect([code, stderr]).toEqual([0, ''])
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'deep', 'plan.json'])
    expect(readdirSync(path.join(folder, 'deep'))).toEqual(['out'])
    const files = readdirSync(path.join(out, 'step_outputs'))
    expect(files.length).toBe(hostile.length)
    expect(new Set(files.map((name) => name.normalize('NFKC').toLowerCase())).size).toBe(hostile.length)
    expect(files.filter((name) => !/^[\w%-][\w%.-]*$/.test(name) || name.length > 160)).toEqual([])
    // Nobody's answer was written over another's.
    const texts = [...filesBelow(path.join(out, 'step_outputs')).values()]
    expect(new Set(texts).size).toBe(hostile.length)
    const inside = realpathSync(out) + path.sep
    for (const name of files) expect(realpathSync(path.join(out, 'step_outputs', name)).startsWith(inside)).toBe(true)
  })

  test.each(['', '\u0000', 'a\u0000b', 'a\nb', '\u001b[2J', '\u0085', 'x'.repeat(129)])('%j is no id', async (id) => {
    expect(await codeOf(checkPlan(plan(step(id))))).toBe('plan.bad_id')
  })

  test('links that lie in the way are not written through', async () => {
    const out = path.join(folder, 'out')
    const elsewhere = path.join(folder, 'elsewhere')
    mkdirSync(elsewhere)
    writeFileSync(path.join(folder, 'victim'), 'precious')
    mkdirSync(path.join(out, 'step_outputs'), { recursive: true })
    for (const name of ['run.json', 'report.md', 'step_outputs/a.md'])
      symlinkSync(path.join(folder, 'victim'), path.join(out, name))
    const words = ['run', '-', '--simulate', 'instant', '--quiet', '--output']
    expect((await aetherflow([...words, out], JSON.stringify(plan(step('a'))))).code).toBe(0)
    expect(filesBelow(folder).get('victim')).toBe('precious')
    expect(filesBelow(out).get('step_outputs/a.md')).toContain('answer')

    const second = path.join(folder, 'second')
    mkdirSync(second)
    symlinkSync(elsewhere, path.join(second, 'step_outputs'))
    const { code, stderr } = await aetherflow([...words, second], JSON.stringify(plan(step('a'))))
    expect(readdirSync(elsewhere)).toEqual([])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error host\.io_failed/)])
  })

  test.each([
    ['to a file', 'victim', []],
    ['to a file, on resume', 'victim', ['--resume']],
    ['to nothing', 'nothing', []],
    ['to nothing, on resume', 'nothing', ['--resume']],
  ])('a journal that is a link %s is not written through', async (_, target, flags) => {
    const out = path.join(folder, 'out')
    writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan(step('a'))))
    writeFileSync(path.join(folder, 'victim'), 'precious')
    mkdirSync(out)
    symlinkSync(path.join(folder, target), path.join(out, 'journal.jsonl'))
    const words = ['run', path.join(folder, 'plan.json'), '--simulate', 'instant', '--output', out, ...flags]
    const { code } = await aetherflow(words)
    if (target === 'victim') expect(code).not.toBe(0)
    expect(filesBelow(folder).get('victim')).toBe('precious')
    expect(existsSync(path.join(folder, 'nothing'))).toBe(false)
  })
})

describe('context files', () => {
  test.each([
    ['above', '../secret.txt'],
    ['absolute', '/etc/hostname'],
    ['through a link', 'link.txt'],
    ['through a linked folder', 'linked/secret.txt'],
    ['a folder', '.'],
    ['a device', '/dev/zero'],
    ['a name with NUL', 'a\u0000b'],
    ['an address', 'file:///etc/hostname'],
  ])('%s: refused, and nothing is sent', async (_, file) => {
    const inside = path.join(folder, 'plan')
    mkdirSync(inside)
    writeFileSync(path.join(folder, 'secret.txt'), 'a secret of the house')
    symlinkSync(path.join(folder, 'secret.txt'), path.join(inside, 'link.txt'))
    symlinkSync(folder, path.join(inside, 'linked'))
    const hostile = plan(step('a', { context: { files: [file] } }))
    const refused: unknown = await run(server, hostile, { policy: once, folder: inside }).catch(
      (error: unknown) => error,
    )
    expect(refused).toMatchObject({ code: expect.stringMatching(/^host\./), where: '/steps/0/context/files/0' })
    // Of a plan that streams the step alone fails.
    const ran = await run(server, streamed(hostile), { policy: once, folder: inside })
    expect(ran.report.steps[0]).toMatchObject({ state: 'failed', failure: 'input' })
    expect(server.ledger.entries).toEqual([])
    for (const told of [refused, ran]) expect(everything(told)).not.toContain('a secret of the house')
  })
})

describe('nothing is evaluated', () => {
  const poison =
    '{{steps.c.output}} {{constructor.constructor("return process")()}} ${process.env.HOME} $& $1 `id` <%= 1 %>'
  test('an answer that looks like a template is handed on as text', async () => {
    server.script([{ step: 'a', fault: answer(poison) }])
    const using = step('b', { description: '#step=b# Use {{steps.a.output}} and ${HOME} and {{ steps.a.output }}.' })
    const ran = await run(server, plan(step('a'), using, step('c')), { policy: once })
    expect(ran.outcome).toBe('ok')
    expect(ran.outputs.get('a')).toBe(poison)
    const [entry] = server.ledger.of('b')
    expect(entry?.prompt).toContain(poison)
    expect(entry?.prompt).toContain('${HOME}')
    expect(entry?.prompt).not.toContain(String(ran.outputs.get('c')))
  })

  test('a template that names no step is refused', async () => {
    const source = plan(step('a', { description: '{{steps.nobody.output}}' }))
    expect(await codeOf(checkPlan(source))).toMatch(/^plan\./)
  })

  test('names of prototypes are plain names', async () => {
    const ids = ['__proto__', 'constructor', 'prototype', 'toString']
    const text = JSON.stringify(
      plan(...ids.map((id) => step(id, { dependencies: id === 'toString' ? ['__proto__'] : [] }))),
    )
    const polluting = text.replace(
      '"task_id":',
      '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"task_id":',
    )
    const ran = await runPlan(polluting, { config: configOf(server, { policy: once }) })
    expect([...ran.outputs.keys()].sort()).toEqual([...ids].sort())
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('sizes', () => {
  const many = (count: number): object[] => Array.from({ length: count }, (_, at) => step(`s${at}`))
  test.each<[string, () => string, string]>([
    [
      'deep nesting',
      () => `{"metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}},"steps":[]}`,
      'plan.too_deep',
    ],
    ['a deep schema', () => deepSchema(5000), 'plan.too_deep'],
    ['a string of 5 MB', () => JSON.stringify(plan(step('a', { description: 'x'.repeat(5 << 20) }))), 'plan.too_large'],
    ['too many steps', () => JSON.stringify({ ...plan(), steps: many(200_001) }), 'plan.too_large'],
    ['no end', () => '{"steps":[{"id":"a"', 'json.malformed'],
    [
      'a number that no double holds',
      () => JSON.stringify(plan(step('a'))).replace('0.5', '1e999'),
      'plan.out_of_range',
    ],
  ])('%s: a coded error', async (_, text, code) => {
    expect(await codeOf(checkPlan(text()))).toBe(code)
  })

  function deepSchema(levels: number): string {
    const text = JSON.stringify(plan(step('a', { output: { type: 'object' } })))
    return text.replace('{"type":"object"}', `${'{"not":'.repeat(levels)}{}${'}'.repeat(levels)}`)
  }

  test('nothing of a refused plan is left behind', async () => {
    const out = path.join(folder, 'out')
    const { code } = await aetherflow(['run', '-', '--simulate', '--output', out], deepSchema(5000))
    expect([code, existsSync(out)]).toEqual([2, false])
  })
})
