/** What a user gets: the packed package, installed into an empty folder, runs a plan from JavaScript and from the command line. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { projectPath } from '../fixtures/paths.js'
import { Screen } from './render-screen.js'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'aetherflow-pack-'))
const step = { description: 'say hello', complexity: 0.1, estimated_tokens: 50, dependencies: [] }
const plan = { task_id: 'packed', description: 'd', steps: [{ id: 'hello', type: 'documentation', ...step }] }

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: projectPath('.'),
  })
  const listing: unknown = JSON.parse(packed.stdout)
  const [{ filename }] = Object.values(listing as object) as [{ filename: string }]
  writeFileSync(join(folder, 'package.json'), '{"name":"empty","private":true,"type":"module"}')
  writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan))
  const tarball = join(folder, filename.replace('@', '').replace('/', '-'))
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', tarball], {
    cwd: folder,
  })
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the packed package in an empty folder', () => {
  test('runs a plan from JavaScript', async () => {
    writeFileSync(
      join(folder, 'main.mjs'),
      `import { readFileSync } from 'node:fs'
       import { runPlan } from '@aetherflow/aetherflow'
       const result = await runPlan(JSON.parse(readFileSync('plan.json', 'utf8')), { simulate: 'instant', config: {} })
       console.log(JSON.stringify([result.outcome, [...result.outputs.keys()], result.simulated]))`,
    )
    const { stdout } = await run(process.execPath, ['main.mjs'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual(['ok', ['hello'], 'instant'])
  })

  test('runs a plan from the command line and writes its outputs', async () => {
    const bin = join(folder, 'node_modules', '.bin', 'aetherflow')
    const { stdout } = await run(bin, ['run', 'plan.json', '--simulate', 'instant', '--output', 'out'], { cwd: folder })
    expect(stdout).toContain('simulated')
    expect(existsSync(join(folder, 'out', 'report.md'))).toBe(true)
    const report = JSON.parse(readFileSync(join(folder, 'out', 'run.json'), 'utf8')) as { simulated: string }
    expect(report.simulated).toBe('instant')
  })

  test('answers a coding assistant, with no other package than it names, and tells how plans are written', async () => {
    const bin = join(folder, 'node_modules', '.bin', 'aetherflow')
    const hello = {
      ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'packed', version: '1' } },
    }
    const child = run(bin, ['mcp', '--simulate'], { cwd: folder })
    child.child.stdout?.once('data', () => child.child.stdin?.end())
    child.child.stdin?.write(`${JSON.stringify(hello)}\n`)
    const { stdout } = await child
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { serverInfo: { name: 'aetherflow' } } })
    expect(existsSync(join(folder, 'node_modules/@modelcontextprotocol'))).toBe(false)
    const home = join(folder, 'node_modules/@aetherflow/aetherflow')
    expect(readFileSync(join(home, 'dist/node/mcp/licences.txt'), 'utf8')).toContain('@modelcontextprotocol/server')
    expect((await run(bin, ['guide'], { cwd: folder })).stdout).toBe(
      readFileSync(join(home, 'dist/plan-card.md'), 'utf8'),
    )
  }, 60_000)

  test('leads from an empty folder to a verified result, each command twice where it may be said twice', async () => {
    const place = join(folder, 'path')
    mkdirSync(place)
    const bin = join(folder, 'node_modules', '.bin', 'aetherflow')
    const env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'nobody'), NODE_OPTIONS: '' }
    const say = async (...words: string[]) => (await run(bin, words, { cwd: place, env })).stdout
    expect(await say('init')).toMatch(/^written +plan\.json/)
    expect(await say('init')).toMatch(/^is there plan\.json/)
    for (const once of [1, 2]) {
      expect([once, await say('check', 'plan.json')]).toEqual([once, expect.stringContaining('3 steps')])
      expect(await say('explain', 'plan.json', '--simulate')).toContain('makespan')
    }
    const ran = await say('run', 'plan.json', '--simulate', 'instant', '--output', 'out')
    expect(ran).toContain('3 of 3 steps done')
    expect(await say('run', '--output', 'out', '--resume')).toContain('3 of 3 steps done')
    const out = join(place, 'out')
    const kept = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')) as {
      outcome: string
      outputs: Record<string, string>
    }
    expect([kept.outcome, Object.keys(kept.outputs).sort()]).toEqual(['ok', ['best', 'playful', 'serious']])
    const page = readFileSync(join(out, 'report.html'), 'utf8')
    const markdown = readFileSync(join(out, 'report.md'), 'utf8')
    const links = [...page.matchAll(/href="([^"]+)"/g), ...markdown.matchAll(/\]\(([^()]+)\)/g)].map(
      ([, to = '']) => to,
    )
    for (const id of Object.keys(kept.outputs)) expect(links).toContain(kept.outputs[id])
    for (const link of links) expect([link, existsSync(join(out, decodeURIComponent(link)))]).toEqual([link, true])
    expect(await say('replay', 'out')).toMatch(/same|equal|agree|✓/)
  }, 120_000)

  const script = existsSync('/usr/bin/script')
  if (!script) console.warn('SKIPPED the terminals of 80 and 120 columns: no `script` on this system')
  ;(script ? test : test.skip).each([80, 120])(
    'its terminal at %i columns: nothing is wider, and the figures are there',
    async (columns) => {
      const place = join(folder, `terminal-${columns}`)
      mkdirSync(place)
      const bin = join(folder, 'node_modules', '.bin', 'aetherflow')
      const env = {
        ...process.env,
        XDG_CONFIG_HOME: join(folder, 'nobody'),
        NODE_OPTIONS: '',
        NO_COLOR: '',
        TERM: 'xterm',
      }
      const shown = async (words: string): Promise<Screen> => {
        const line = `stty cols ${columns} rows 40 && '${bin}' ${words}`
        const { stdout } = await run('/usr/bin/script', ['-qec', line, '/dev/null'], { cwd: place, env })
        const screen = new Screen(columns, 40)
        // Colours take no room.
        screen.write(stdout.replace(/\u001b\[[\d;]*m/g, ''))
        return screen
      }
      await run(bin, ['init'], { cwd: place, env })
      const explained = await shown('explain plan.json --simulate')
      expect(explained.shown.join('\n')).toMatch(/makespan[^]*goes to +because/)
      const ran = await shown('run plan.json --simulate instant --output out')
      // The table was drawn while it ran, and stands above the summary.
      expect(ran.shown.join('\n')).toMatch(/step +provider +time[^]*3 of 3 steps done/)
      expect(ran.cursorVisible).toBe(true)
      for (const screen of [explained, ran]) expect(screen.widest).toBeLessThanOrEqual(columns)
    },
    60_000,
  )

  test.each(['undefined', "'answers'"])('keeps and finds answers without any plan, dir %s', async (dir) => {
    writeFileSync(
      join(folder, 'cache.mjs'),
      `import { SemanticCache } from '@aetherflow/aetherflow'
       const [dir, model, ttlMs] = [${dir}, undefined, 60_000]
       const prompt = 'How do I configure logging in the web server?'
       const answer = 'In its configuration.'
       const scope = { tenant: 'me', provider: 'groq', model: 'm' }
       const cache = await SemanticCache.open({ dir, model, maxWrongShare: 0.01 })
       await cache.put({ prompt, answer, scope, ttlMs })
       const found = await cache.get({ prompt, scope })
       await cache.feedback(found.id, { right: true }); const stats = cache.stats(); await cache.clear({ scope }); await cache.close()
       const again = await SemanticCache.open({ dir, model })
       const gone = await again.get({ prompt, scope })
       await again.close()
       console.log(JSON.stringify([found.kind, found.answer, found.score, found.why, stats.hits, stats.feedback, gone.kind]))`,
    )
    const { stdout } = await run(process.execPath, ['cache.mjs'], { cwd: folder })
    const [hits, feedback] = [
      { exact: 1, semantic: 0 },
      { right: 1, wrong: 0 },
    ]
    expect(JSON.parse(stdout)).toEqual(['exact', 'In its configuration.', 1, 'exact', hits, feedback, 'miss'])
    expect(existsSync(join(folder, 'answers'))).toBe(dir !== 'undefined')
  })

  test('brings the suites that stores of one’s own must pass, and they see a fault', async () => {
    writeFileSync(
      join(folder, 'contract.mjs'),
      `import { mkdtempSync, rmSync } from 'node:fs'
       import { isDeepStrictEqual } from 'node:util'
       import { FileRunStore } from '@aetherflow/aetherflow'
       import { runStoreContract } from '@aetherflow/aetherflow/testing'
       const tests = []
       const must = (holds) => { if (!holds) throw new Error('differs') }
       const library = {
         describe: (_, body) => body(),
         test: (name, body) => tests.push([name, body]),
         expect: (actual) => ({
           toBe: (expected) => must(Object.is(actual, expected)),
           toEqual: (expected) => must(isDeepStrictEqual(actual, expected)),
         }),
       }
       class Forgetful extends FileRunStore { peek() { return Promise.resolve(undefined) } }
       async function failures(Store) {
         tests.length = 0
         runStoreContract('mine', async () => {
           const dir = mkdtempSync('place-')
           return { store: () => new Store(dir + '/run'), end: async () => rmSync(dir, { recursive: true }) }
         }, library)
         const results = []
         for (const [, body] of tests) results.push(await body().then(() => true, () => false))
         return results.filter((passed) => !passed).length
       }
       console.log(JSON.stringify([await failures(FileRunStore), tests.length > 14, (await failures(Forgetful)) > 5]))`,
    )
    const { stdout } = await run(process.execPath, ['contract.mjs'], { cwd: folder })
    expect(JSON.parse(stdout)).toEqual([0, true, true])
  })

  test('carries the schema of the events', () => {
    const home = join(folder, 'node_modules', '@aetherflow', 'aetherflow')
    const schema = JSON.parse(readFileSync(join(home, 'dist', 'events.schema.json'), 'utf8')) as { $defs: object }
    expect(schema.$defs).toHaveProperty('events')
  })

  test('carries the plan schema and types, and neither sources nor tests', async () => {
    const home = join(folder, 'node_modules', '@aetherflow', 'aetherflow')
    const schema = JSON.parse(readFileSync(join(home, 'dist', 'plan.schema.json'), 'utf8')) as { properties: object }
    expect(schema.properties).toHaveProperty('steps')
    expect(existsSync(join(home, 'dist', 'node', 'index.d.ts'))).toBe(true)
    for (const absent of ['tests', 'build', 'scripts', 'bindings']) expect(existsSync(join(home, absent))).toBe(false)
    const outside = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !/^(dist|examples)/.test(name),
    )
    expect(outside.filter((name) => /\.(ts|cpp|hpp|def)$/.test(name))).toEqual([])
  })

  test('has no link that leads nowhere in any of its pages', () => {
    const home = join(folder, 'node_modules', '@aetherflow', 'aetherflow')
    const pages = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
    const dead = pages.flatMap((page) => {
      const links = [...readFileSync(join(home, page), 'utf8').matchAll(/\]\(([^()\s#]+)(?:#[^()\s]*)?\)/g)]
      const targets = links.map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))
      return targets
        .filter((target) => !existsSync(join(home, dirname(page), target)))
        .map((target) => `${page}: ${target}`)
    })
    expect(pages).toContain('README.md')
    expect(dead).toEqual([])
  })
})
