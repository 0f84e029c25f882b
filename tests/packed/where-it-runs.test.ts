/** The table "Where it runs" of the README, row by row, with the packed package. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { projectPath } from '../fixtures/paths.js'
import { execute, otherRuntime, packedApp, plainEnvironment, printed, program, type App } from './app.js'

// Every row starts programs, some of them compilers.
jest.setTimeout(120_000)

let app: App
beforeAll(async () => {
  app = await packedApp(['typescript', '@types/node'])
  app.write({
    'work.mjs': program,
    'main.mjs': `import * as it from '@aetherflow/aetherflow'
      import { work } from './work.mjs'
      console.log(await work(it))`,
    'main.cjs': `${program.replace('export const', 'const')}
      work(require('@aetherflow/aetherflow')).then(console.log)`,
    'sub.mjs': `import * as it from '@aetherflow/aetherflow/node'
      import { work } from './work.mjs'
      console.log(await work(it))`,
  })
})
afterAll(() => app.remove())

describe('in Node', () => {
  test('as an ES module, as CommonJS, and by the name that leaves no doubt', async () => {
    expect(await app.node('main.mjs')).toBe(printed)
    expect(await app.node('main.cjs')).toBe(printed)
    expect(await app.node('sub.mjs')).toBe(printed)
  })

  test('under Jest as it comes: no flags, no transforms', async () => {
    app.write({
      'jest/package.json': '{"name":"suite"}',
      'jest/a.test.js': `${program.replace('export const', 'const')}
        test('runs', async () => expect(await work(require('@aetherflow/aetherflow'))).toBe('${printed}'))`,
    })
    const args = [projectPath('node_modules/jest/bin/jest.js'), '--rootDir', join(app.folder, 'jest'), '--no-cache']
    const { stderr } = await execute(process.execPath, args, { cwd: join(app.folder, 'jest'), env: plainEnvironment() })
    expect(stderr).toContain('1 passed')
  })

  test.each([
    ['esbuild', 'esm', 'out.mjs'],
    ['esbuild', 'cjs', 'out.cjs'],
    ['webpack', 'esm', 'out.mjs'],
    ['webpack', 'cjs', 'out.cjs'],
  ])(
    'bundled by %s as %s, in a folder with nothing else',
    async (bundler, format, name) => {
      const away = mkdtempSync(join(tmpdir(), 'aetherflow-bundle-'))
      try {
        app.write({
          'then.mjs':
            "import * as it from '@aetherflow/aetherflow'\nimport { work } from './work.mjs'\nwork(it).then(console.log)\n",
        })
        await execute(
          process.execPath,
          [projectPath('tests/packed/bundle.mjs'), bundler, format, join(app.folder, 'then.mjs'), join(away, name)],
          { cwd: projectPath('.'), env: plainEnvironment() },
        )
        const { stdout } = await execute(process.execPath, [join(away, name)], { cwd: away, env: plainEnvironment() })
        expect(stdout.trim()).toBe(printed)
      } finally {
        rmSync(away, { recursive: true, force: true })
      }
    },
    60_000,
  )
})

const runtimes = (['deno', 'bun'] as const).map((name) => [name, otherRuntime(name)] as const)
describe('in other runtimes', () => {
  test.each(runtimes)(
    '%s runs both kinds of modules',
    async (name, file) => {
      if (file === undefined) return console.warn(`skipped: no ${name} here; node scripts/runtimes.mjs fetches it`)
      const run = async (main: string) => {
        const args = name === 'deno' ? ['run', '--no-lock', '-A', main] : [main]
        const home = join(app.folder, 'home')
        mkdirSync(home, { recursive: true })
        const env = { ...plainEnvironment(), HOME: home, DENO_DIR: home, NO_COLOR: '1' }
        return (await execute(file, args, { cwd: app.folder, env })).stdout.trim()
      }
      expect(await run('main.mjs')).toBe(printed)
      expect(await run('main.cjs')).toBe(printed)
    },
    60_000,
  )
})

describe('on servers that draw pages', () => {
  const parts = ['', '/browser', '/element'].map((part) => `@aetherflow/aetherflow${part}`)

  test('Vite loads every part for its server, left outside or taken in', async () => {
    app.write({ 'ssr.js': parts.map((part, index) => `export * as p${index} from '${part}'`).join('\n') })
    app.write({
      'ssr.mjs': `import { createServer } from '${projectPath('node_modules/vite/dist/node/index.js')}'
        for (const noExternal of [[], ['@aetherflow/aetherflow']]) {
          const server = await createServer({ root: ${JSON.stringify(app.folder)}, configFile: false, logLevel: 'error',
            server: { middlewareMode: true, hmr: false, watch: null, ws: false }, appType: 'custom', ssr: { noExternal } })
          const { p0, p1, p2 } = await server.ssrLoadModule('/ssr.js')
          console.log(typeof p0.runPlan, typeof p1.runPlan, typeof p2.AetherflowRun)
          await server.close()
        }
        process.exit(0)`,
    })
    expect(await app.node('ssr.mjs')).toBe('function function function\nfunction function function')
  })

  test('a bundle for the server with the conditions that frameworks set there loads every part', async () => {
    app.write({
      'server.mjs': `${parts.map((part, index) => `import * as p${index} from '${part}'`).join('\n')}
        console.log(typeof p0.runPlan, typeof p1.runPlan, typeof p2.AetherflowRun)`,
    })
    const output = join(app.folder, 'server.out.mjs')
    const args = [projectPath('tests/packed/bundle.mjs'), 'esbuild', 'rsc', join(app.folder, 'server.mjs'), output]
    await execute(process.execPath, args, { cwd: projectPath('.'), env: plainEnvironment() })
    expect(await app.node(output)).toBe('function function function')
  })
})

describe('where a page, Node, Deno and Bun are far', () => {
  /** A place with the interfaces of the web alone, that compiles neither scripts nor modules: as Workers are. */
  function worker(script: string): { go(options: object): Promise<string> } {
    const names = [
      ...['TextEncoder', 'TextDecoder', 'URL', 'Request', 'Response', 'Headers', 'fetch', 'AbortController'],
      ...['AbortSignal', 'setTimeout', 'clearTimeout', 'crypto', 'ReadableStream', 'TransformStream', 'performance'],
      ...['structuredClone', 'queueMicrotask', 'DOMException', 'Event', 'EventTarget', 'atob', 'btoa'],
    ]
    const globals = Object.fromEntries(names.map((name) => [name, (globalThis as Record<string, unknown>)[name]]))
    const context = createContext(globals, { codeGeneration: { strings: false, wasm: false } })
    runInContext('globalThis.self = globalThis', context)
    runInContext(script, context)
    return context as unknown as { go(options: object): Promise<string> }
  }

  test('it says so, and where the plan can be run instead', async () => {
    app.write({
      'edge.mjs': `import { runPlan } from '@aetherflow/aetherflow'
        globalThis.go = async (options) => {
          const plan = { steps: [{ id: 'a', type: 'analysis', description: 'x' }] }
          return runPlan(plan, { simulate: 'instant', ...options }).then(({ outcome }) => outcome, (error) => error.code + ' ' + error.detail)
        }`,
    })
    const output = join(app.folder, 'edge.out.js')
    const args = [projectPath('tests/packed/bundle.mjs'), 'esbuild', 'edge', join(app.folder, 'edge.mjs'), output]
    await execute(process.execPath, args, { cwd: projectPath('.'), env: plainEnvironment() })
    const { go } = worker(readFileSync(output, 'utf8'))
    for (const options of [{}, { worker: false }])
      expect(await go(options)).toMatch(/^host\.\w+ the core cannot be loaded: .*: run the plan in one of those/)
  })
})

const use = (from: string) => `
import { runPlan, SemanticCache, AetherflowError, type Plan, type RunEventOf, type Step } from '${from}'
interface OwnStep { id: string; type: string; description: string; dependencies: string[]; note: number }
interface OwnPlan { task_id: string; steps: OwnStep[] }
export async function go(own: OwnPlan, json: { steps: { id: string; output: string }[] }): Promise<string> {
  const cache = await SemanticCache.open({ dir: 'answers', maxWrongShare: 0.01 })
  const plan: Plan = { steps: [{ id: 'a', type: 'analysis', description: 'x', output: 'json' }] }
  const events: RunEventOf<'done'>[] = []
  await runPlan(own, { config: {} })
  await runPlan(json, { config: {} })
  const result = await runPlan(plan, {
    journal: 'out', cache, cacheModes: { '*': 'exact' }, configFile: 'x.json',
    onEvent: (event) => { if (event.type === 'done') events.push(event) },
  })
  // @ts-expect-error: a member that no step has
  const wrong: Step = { id: 'a', type: 'analysis', description: 'x', dependancies: [] }
  // @ts-expect-error: no kind of output
  const odd: Step = { id: 'a', type: 'analysis', description: 'x', output: 'yaml' }
  // @ts-expect-error: an option that does not exist
  await runPlan(plan, { concurency: {} })
  const microUsd: number | undefined = events[0]?.costMicroUsd
  return [result.outcome, wrong.id, odd.id, microUsd, AetherflowError.name].join()
}
`
const main = '@aetherflow/aetherflow'
describe('the types, strict and with every declaration checked', () => {
  // One compilation for each way of resolving: what each file is told of a missing or wrong type, its own line says.
  test.each<[string, string, Readonly<Record<string, string>>]>([
    ['node16', 'node16', { 'use.mts': main, 'use.cts': main, 'sub.mts': `${main}/node` }],
    ['nodenext', 'nodenext', { 'use.mts': main, 'use.cts': main }],
    ['esnext', 'bundler', { 'use.ts': `${main}/node` }],
    ['preserve', 'bundler', { 'use.ts': `${main}/node` }],
  ])(
    'module %s, resolution %s: %j',
    async (module, moduleResolution, files) => {
      const folder = `types-${module}`
      app.write({
        ...Object.fromEntries(Object.entries(files).map(([file, from]) => [`${folder}/${file}`, use(from)])),
        [`${folder}/tsconfig.json`]: JSON.stringify({
          compilerOptions: {
            ...{ module, moduleResolution, target: 'es2022', strict: true, exactOptionalPropertyTypes: true },
            ...{ noEmit: true, skipLibCheck: false, types: ['node'] },
          },
          files: Object.keys(files),
        }),
      })
      const compiler = projectPath('node_modules/typescript/bin/tsc')
      const { stdout } = await execute(process.execPath, [compiler, '-p', folder], { cwd: app.folder }).catch(
        (error: { stdout: string }) => error,
      )
      expect(stdout).toBe('')
    },
    60_000,
  )
})

test('the package says where its parts are, and each of them is there', () => {
  expect(existsSync(join(app.home, 'dist/cjs/node/index.js'))).toBe(true)
  for (const entry of ['ai-sdk', 'serve/serve'])
    for (const ending of ['js', 'd.ts'])
      expect(existsSync(join(app.home, `dist/cjs/node/${entry}.${ending}`))).toBe(true)
  expect(existsSync(join(app.home, 'dist/cjs/node/index.d.ts'))).toBe(true)
})
