/** Steps that ask for documents, in Node: an index of the plan's folder, with what may be sent alone. Providers are simulated. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  AetherflowError,
  checkPlan,
  explainPlan,
  openDocs,
  runPlan,
  type RunEvent,
  type RunPlanOptions,
  type SentPrompt,
} from '../../node/index.js'

jest.setTimeout(60_000)

let [root, folder, keep] = ['', '', '']
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aetherflow-'))
  ;[folder, keep] = [join(root, 'project'), join(root, 'kept')]
  write('docs/guide.md', guide)
  write('docs/cache.md', '# Cache\n\nThe cache is cleared by aetherflow cache clear.\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const guide =
  '# Install\n\nThe toolchain needs a compiler.\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n\n# Use\n\nRun a plan.\n'
function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
const step = (id: string, documents: object | undefined, more: object = {}): object => ({
  ...{ id, type: 'analysis', description: `do ${id}` },
  ...(documents === undefined ? {} : { context: { documents } }),
  ...more,
})
const plan = (...steps: object[]) => ({ task_id: 't', description: 'd', steps }) as never

interface Told {
  readonly prompts: SentPrompt[]
  readonly events: RunEvent[]
  readonly result: Awaited<ReturnType<typeof runPlan>>
}
async function run(source: never, more: RunPlanOptions = {}): Promise<Told> {
  const [prompts, events]: [SentPrompt[], RunEvent[]] = [[], []]
  const result = await runPlan(source, {
    ...{ config: {}, folder, simulate: 'instant', documents: { keep } },
    onPrompt: (prompt) => void prompts.push(prompt),
    onEvent: (event) => void events.push(event),
    ...more,
  })
  return { prompts, events, result }
}
const blockOf = (prompt: string | undefined): string =>
  /<documents>\n([^]*)\n<\/documents>/.exec(prompt ?? '')?.[1] ?? ''
const refusal = (work: PromiseLike<unknown>): Promise<AetherflowError> =>
  Promise.resolve(work).then(
    () => Promise.reject(new Error('it was taken')),
    (error: AetherflowError) => error,
  )

describe('a plan that asks', () => {
  const asking = { query: 'How do I fetch the toolchain on Linux?', tokens: 200 }

  test('gets the same bytes into every prompt that asks the same, before what is the step’s own', async () => {
    const { prompts, result } = await run(plan(step('a', asking), step('b', asking), step('c', undefined)))
    expect(result.outcome).toBe('ok')
    const [a, b, c] = ['a', 'b', 'c'].map((id) => prompts.find((prompt) => prompt.step === id)?.user)
    expect(blockOf(a)).toContain('[docs/guide.md:Install › Linux.')
    expect(blockOf(a)).toContain('Use apt-get to fetch the toolchain.')
    expect(blockOf(b)).toBe(blockOf(a))
    expect(c).not.toContain('<documents>')
    expect(a?.indexOf('<documents>')).toBeLessThan(a?.indexOf('<task>') ?? 0)
    const common = a?.slice(0, a.indexOf('<task>')) ?? ''
    expect(common.length).toBeGreaterThan(0)
    expect(b?.startsWith(common)).toBe(true)
  })

  test('is seen by check and explain, in the sizes of the run', async () => {
    const source = plan(step('a', asking), step('b', { query: 'zyx wvu tsr' }))
    const options = { config: {}, folder, documents: { keep } }
    const { documents } = await checkPlan(source, options)
    const explained = await explainPlan(source, { ...options, simulate: 'instant' })
    const { result, events } = await run(source)
    const told = events.flatMap((event) => (event.type === 'retrieved' ? [event] : []))
    expect(documents.map(({ step: id, references, tokens }) => [id, references, tokens])).toEqual(
      told.map(({ step: id, references, tokens }) => [id, references, tokens]),
    )
    expect(documents[0]?.references).toContainEqual(expect.stringMatching(/^docs\/guide\.md:Install › Linux\.\d+$/))
    expect(documents[1]).toMatchObject({ references: [], abstained: 'nothing' })
    expect(explained.documents).toMatchObject(documents.map(({ references, tokens }) => ({ references, tokens })))
    const without = await explainPlan(source, { ...options, documents: false }).catch((error: unknown) => error)
    expect(without).toMatchObject({ code: 'docs.none' })
    const [expected, actual] = [explained.report, result.report].map((report) => report.totals.tokens.input)
    expect(Math.abs((expected ?? 0) - (actual ?? 0))).toBeLessThan(0.2 * (actual ?? 0))
  })

  test('whose paths the index lacks, or that has no index, is refused before anything is called', async () => {
    const source = plan(step('a', undefined), step('b', { paths: ['docs/', 'doc'] }))
    let called = 0
    const onEvent = ({ type }: RunEvent): void => void (called += type === 'call' ? 1 : 0)
    const at = { code: 'docs.no_path', where: '/steps/1/context/documents/paths/1' }
    expect(await refusal(run(source, { onEvent }))).toMatchObject(at)
    expect(await refusal(checkPlan(source, { config: {}, folder, documents: { keep } }))).toMatchObject(at)
    expect(await refusal(run(source, { onEvent, documents: false }))).toMatchObject({ code: 'docs.none' })
    expect(await refusal(run(source, { onEvent, documents: { dir: join(root, 'nowhere'), keep } }))).toMatchObject({
      code: 'host.io_failed',
    })
    expect(called).toBe(0)
  })

  test('looks only where it says', async () => {
    const { prompts } = await run(plan(step('a', { query: 'toolchain cache cleared', paths: ['docs/cache.md'] })))
    expect(blockOf(prompts[0]?.user)).toContain('[docs/cache.md:Cache.')
    expect(prompts[0]?.user).not.toContain('guide.md')
  })
})

describe('what may be sent', () => {
  const secret = 'the toolchain password is swordfish'
  const asking = { query: 'toolchain password swordfish' }

  test.each(['.env.md', '.ssh/notes.md', 'credentials.json', 'secrets.json'])('%s is not found', async (path) => {
    write(path, path.endsWith('json') ? JSON.stringify({ toolchain: secret }) : `# Keys\n\n${secret}\n`)
    const { prompts } = await run(plan(step('a', asking)))
    expect(prompts).toHaveLength(1)
    expect(prompts[0]?.user).not.toContain('swordfish is')
    expect(prompts[0]?.user).not.toContain(secret)
    // Unless the user has named it.
    const allowed = await run(plan(step('a', asking)), { allowFiles: [path] })
    expect(allowed.prompts[0]?.user).toContain(secret)
  })

  test('not what lies outside of the folder, nor a private key', async () => {
    writeFileSync(join(root, 'outside.md'), `# Keys\n\n${secret}\n`)
    symlinkSync(join(root, 'outside.md'), join(folder, 'linked.md'))
    write('deploy.md', `# Keys\n\n${secret}\n\n-----BEGIN RSA PRIVATE KEY-----\nabc\n`)
    const { prompts } = await run(plan(step('a', asking)))
    expect(prompts[0]?.user).not.toContain(secret)
  })

  test('not the outputs of earlier runs, wherever they were kept, nor plans', async () => {
    write('aetherflow-out/t-1/step_outputs/a.md', `# Answer\n\n${secret}\n`)
    write('kept/out/step_outputs/a.md', `# Answer\n\n${secret}\n`)
    write('kept/out/run.json', JSON.stringify({ secret }))
    write('plan.json', JSON.stringify(plan(step('a', { query: secret }))))
    write(
      'steps.json',
      JSON.stringify({ steps: [{ id: 'toolchain', text: 'toolchain password swordfish: a recipe is no plan' }] }),
    )
    const { prompts } = await run(plan(step('a', asking)))
    expect(prompts[0]?.user).not.toContain(secret)
    expect(prompts[0]?.user).toContain('a recipe is no plan')
  })

  test('not the key of a configured provider, whoever has opened the index', async () => {
    const key = 'sk-swordfish-0123456789'
    write('notes.md', `# Keys\n\nThe toolchain password swordfish: ${key}\n`)
    const config = { providers: { deepseek: { key } } } as never
    await using docs = await openDocs({ dir: folder, keep: false })
    const error = await refusal(run(plan(step('a', asking)), { config, documents: docs }))
    expect(error).toMatchObject({ code: 'host.file_refused', where: '/steps/0/context/documents' })
    expect(error.message).not.toContain(key)
    const { prompts } = await run(plan(step('a', asking)), { config })
    expect(prompts[0]?.user).not.toContain(key)
  })
})

describe('a run that goes on', () => {
  const source = plan(step('a', { query: 'fetch the toolchain on Linux' }), step('b', { query: 'clear the cache' }))

  test('buys again what would see other documents, and nothing else', async () => {
    const journal = join(root, 'run')
    await run(source, { journal })
    const same = await run(source, { journal, reuse: true })
    expect(same.prompts).toEqual([])
    write('docs/cache.md', '# Cache\n\nTo clear the cache delete its folder.\n')
    const changed = plan(...((source as { steps: object[] }).steps ?? []), step('c', undefined))
    const next = await run(changed, { journal, reuse: true })
    expect(next.prompts.map((prompt) => prompt.step).sort()).toEqual(['b', 'c'])
    // What was recalled is known by the same documents.
    const third = await run(plan(...(changed as { steps: object[] }).steps, step('d', undefined)), {
      journal,
      reuse: true,
    })
    expect(third.prompts.map((prompt) => prompt.step)).toEqual(['d'])
  })
})
