/** The packed package under the bundlers that people use: built, opened in a browser, run. Without its dependencies: a page needs none. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { projectPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'

const run = promisify(execFile)
const main = `import { runPlan, listRuns, AetherflowError } from '@aetherflow/aetherflow'
globalThis.run = async (worker) => {
  const step = { type: 'analysis', description: 'say hello', dependencies: [] }
  const plan = { task_id: 'built', description: 'd', steps: [{ ...step, id: 'a' }] }
  const { outcome, thread } = await runPlan(plan, { simulate: 'instant', worker })
  const wrong = await runPlan({}, { simulate: 'instant', worker }).result.catch((error) => error instanceof AetherflowError && error.code)
  return [outcome, thread, wrong]
}
globalThis.keep = async () => {
  const step = { type: 'analysis', description: 'say hello', dependencies: [] }
  const plan = { task_id: 'built', description: 'd', steps: [{ ...step, id: 'a' }] }
  const options = { simulate: 'instant', cache: { name: 'answers' } }
  const first = await runPlan(plan, { ...options, journal: 'first' })
  const second = await runPlan(plan, { ...options, journal: 'second' })
  const third = await runPlan(undefined, { ...options, journal: 'first', resume: true })
  const runs = (await listRuns()).map(({ name }) => name).sort()
  return [first, second, third].map(({ report }) => report.totals.calls).concat(runs)
}
globalThis.ready = true
`

describeInBrowser('the packed package', () => {
  const home = mkdtempSync(join(tmpdir(), 'aetherflow-bundled-'))
  const packed = join(home, 'node_modules', '@aetherflow', 'aetherflow')
  beforeAll(async () => {
    mkdirSync(packed, { recursive: true })
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', home], {
      cwd: projectPath('.'),
    })
    const [{ filename }] = Object.values(JSON.parse(stdout) as object) as [{ filename: string }]
    await run('tar', [
      ...['-xzf', join(home, filename.replace('@', '').replace('/', '-'))],
      ...['-C', packed, '--strip-components=1'],
    ])
    writeFileSync(join(home, 'package.json'), '{"name":"app","private":true,"type":"module"}')
  }, 60_000)
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  test.each(['vite', 'webpack', 'esbuild'])(
    'built by %s, runs in its worker and in the page`s thread',
    async (bundler) => {
      const folder = join(home, bundler)
      mkdirSync(folder)
      writeFileSync(join(folder, 'main.js'), main)
      writeFileSync(join(folder, 'package.json'), '{"name":"app","private":true,"type":"module"}')
      mkdirSync(join(folder, 'node_modules'))
      await run('cp', ['-r', join(home, 'node_modules', '@aetherflow'), join(folder, 'node_modules')])
      await run(process.execPath, [projectPath('tests/browser/bundle.mjs'), bundler, folder], {
        cwd: projectPath('.'),
        env: { ...process.env, NODE_OPTIONS: '' },
      })
      const server = await PageServer.start({ site: join(folder, 'out') })
      try {
        const { page, complaints } = await openPage(`${server.origin}/site/index.html`)
        const go = (worker: boolean) =>
          page.evaluate((worker) => (globalThis as unknown as { run(worker: boolean): unknown }).run(worker), worker)
        expect(await go(true)).toEqual(['ok', 'worker', 'plan.missing'])
        expect(await go(false)).toEqual(['ok', 'page', 'plan.missing'])
        const keep = () => page.evaluate(() => (globalThis as unknown as { keep(): unknown }).keep())
        expect(await keep()).toEqual([1, 0, 1, 'first', 'second'])
        expect(complaints).toEqual([])
      } finally {
        await server.close()
      }
      expect(nodeNames(join(folder, 'out'))).toEqual([])
    },
    120_000,
  )

  test('is loaded by a server that renders pages without a DOM, the element too', async () => {
    const ssr = join(home, 'ssr')
    mkdirSync(ssr)
    const entries = ['@aetherflow/aetherflow/browser', '@aetherflow/aetherflow/element']
    entries.forEach((name, at) => writeFileSync(join(ssr, `${at}.js`), `export * from '${name}'\n`))
    const { stdout } = await run(process.execPath, [projectPath('tests/browser/bundle.mjs'), 'ssr', ssr], {
      cwd: projectPath('.'),
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    const [browser = [], element = []] = JSON.parse(stdout) as string[][]
    expect(browser).toContain('runPlan')
    expect(element).toEqual(['AetherflowRun'])
  }, 60_000)

  test('names nothing of Node in the files of the page, and no package', () => {
    const folder = join(packed, 'dist', 'browser')
    expect(existsSync(join(folder, 'index.js'))).toBe(true)
    expect(nodeNames(folder)).toEqual([])
    for (const name of readdirSync(folder)) {
      const code = readFileSync(join(folder, name), 'utf8')
      // Not `"from":3,"…"`: a member in the text that says how a verdict looks.
      const imported = [...code.matchAll(/(?<!["'\w])(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(
        ([, path]) => path,
      )
      expect(imported.filter((path) => !path?.startsWith('.'))).toEqual([])
      expect(code).not.toMatch(/\beval\(|\bnew Function\b/)
    }
  })
})

/** Names that only Node has, in any script below a folder. Emscripten's glue asks whether there is a `process`, and goes on without. */
function nodeNames(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?js$/.test(name))
    .flatMap((name) => {
      const code = readFileSync(join(folder, name), 'utf8')
      const found = code.match(/["']node:\w+|\bprocess\.(?:env|argv|exit|cwd)|\bBuffer\.|\brequire\(|__dirname/g)
      return (found ?? []).map((word) => `${name}: ${word}`)
    })
}
