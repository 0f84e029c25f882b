/** `aetherflow run --cache` and `aetherflow cache …`, as processes of their own over a folder. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { SemanticCache } from '../../node/index.js'
import { sharedPath } from '../fixtures/paths.js'
import { aetherflow as alone, jsonLines, plan, Process, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(60_000)

let scratched: ReturnType<typeof scratch>
let folder: string
beforeEach(() => {
  scratched = scratch()
  folder = scratched.folder
})
afterEach(() => {
  Process.endAll()
  scratched.remove()
})

const run = (...more: string[]) =>
  aetherflow(['run', plan('five-files'), '--simulate', 'instant', '--cache', join(folder, 'cache'), ...more])
const cache = (...words: string[]) => aetherflow(['cache', ...words, '--cache', join(folder, 'cache')])
async function json<T>(...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await cache(...words, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as T
}
interface Stats {
  readonly entries: number
  readonly hits: { readonly exact: number; readonly semantic: number }
  readonly stored: number
  readonly saved: { readonly tokens: number; readonly microUsd: number }
}
interface Listing {
  readonly of: number
  readonly entries: readonly {
    readonly key: string
    readonly label: string
    readonly createdAt: number
    readonly prompt: string
  }[]
}

const results = (stdout: string) => {
  const lines = jsonLines(stdout)
  const report = (lines.at(-1) as { report: { cache?: Record<string, number>; totals: { calls: number } } }).report
  return {
    calls: lines.filter(({ type }) => type === 'call').length,
    hits: lines.filter(({ type }) => type === 'hit').length,
    report,
  }
}
const digests = (dir: string) =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(dir, name)).isFile())
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(dir, name)))
        .digest('hex'),
    ])
    .sort()

describe('a run with a cache', () => {
  test('the second time nothing is called, the outputs are the same, and the report says what was saved', async () => {
    const first = await run('--json', '--output', join(folder, 'one'))
    expect(first.code).toBe(0)
    const cold = results(first.stdout)
    expect(cold.calls).toBeGreaterThan(0)
    const second = await run('--json', '--output', join(folder, 'two'))
    const warm = results(second.stdout)
    expect({ code: second.code, calls: warm.calls }).toEqual({ code: 0, calls: 0 })
    const stored = cold.report.cache?.['stored']
    expect(warm.report.totals.calls).toBe(0)
    expect(warm.report.cache).toMatchObject({ misses: 0, hitRate: 1 })
    expect(warm.report.cache?.['savedTokens']).toBeGreaterThan(0)
    expect(digests(join(folder, 'two', 'step_outputs'))).toEqual(digests(join(folder, 'one', 'step_outputs')))
    expect(readFileSync(join(folder, 'two', 'report.md'), 'utf8')).toContain('## Cache')
    const stats = await json<Stats>('stats')
    expect(stats).toMatchObject({ entries: stored, stored })
    expect(stats.hits.exact + stats.hits.semantic).toBeGreaterThanOrEqual(warm.report.cache?.['looked'] === 0 ? 0 : 1)
    expect(stats.saved.tokens).toBe(warm.report.cache?.['savedTokens'])
  })

  test('without a word nothing is kept, and a simulated answer serves its own profile alone', async () => {
    const home = { HOME: folder }
    await aetherflow(['run', plan('diamond'), '--simulate', 'instant'], '', { env: home })
    expect(readdirSync(folder)).toEqual([])
    await aetherflow(['run', plan('diamond'), '--simulate', 'instant', '--cache', join(folder, 'cache')])
    const { entries } = await json<Listing>('list')
    expect(entries.length).toBeGreaterThan(0)
    for (const { label } of entries) expect(label).toMatch(/^simulated:instant · /)
    const other = await aetherflow([
      'run',
      plan('diamond'),
      '--simulate',
      'flaky',
      '--json',
      '--cache',
      join(folder, 'cache'),
    ])
    expect(results(other.stdout).report.cache).toMatchObject({ exact: 0, semantic: 0 })
  })

  test('tenants are apart; the configuration has the folder, off wins over it', async () => {
    const config = join(folder, 'config.json')
    writeFileSync(
      config,
      JSON.stringify({ cache: { dir: join(folder, 'cache'), tenant: 'a', types: { '*': 'exact' } } }),
    )
    const words = ['run', plan('diamond'), '--simulate', 'instant', '--json', '--config', config]
    const cold = results((await aetherflow(words)).stdout)
    expect(results((await aetherflow([...words, '--tenant', 'b'])).stdout).report.cache).toMatchObject({ exact: 0 })
    expect(results((await aetherflow(words)).stdout).calls).toBe(0)
    const off = results((await aetherflow([...words, '--cache', 'off'])).stdout)
    expect(off.report.cache).toBeUndefined()
    expect(off.calls).toBe(cold.calls)
  })

  test.each([
    [['--cache-model', 'lexical'], /there is no cache/],
    [['--cache', 'c', '--cache-share', '0.5'], /0.2% to 5%/],
    [['--cache', 'c', '--tenant', 'simulated:x'], /kept for simulated runs/],
    [['--cache', 'c', '--cache-model', '/nowhere/model'], /cache\.model/],
    [['--cache', '/dev/null/c'], /host\.io_failed/],
  ])('what cannot be is told before anything is called: %j', async (words, expected) => {
    const { code, stderr, stdout } = await aetherflow(
      ['run', plan('diamond'), '--simulate', 'instant', '--json', ...words],
      '',
      { cwd: folder },
    )
    expect(code).not.toBe(0)
    expect(stderr).toMatch(expected)
    expect(stdout).not.toContain('"call"')
  })

  test('with judge auto in the configuration a doubtful question is put to a model, simulated as the run is, and counted', async () => {
    const config = join(folder, 'judge.json')
    writeFileSync(config, JSON.stringify({ cache: { judge: 'auto', model: 'lexical' } }))
    for (const how of ['waits between two attempts', 'schedules repeated attempts']) {
      const file = join(folder, 'question.json')
      const step = { id: 'a', type: 'analysis', description: `Explain how the retry policy ${how}` }
      writeFileSync(file, JSON.stringify({ task_id: 't', description: '', steps: [step] }))
      const words = ['--simulate', 'instant', '--cache', join(folder, 'cache'), '--config', config]
      expect((await aetherflow(['run', file, ...words, '--quiet'])).code).toBe(0)
    }
    // The simulated model's prose is no yes.
    const { judge, hits } = await json<Stats & { judge: { asked: number; yes: number } }>('stats')
    expect({ ...hits, asked: judge.asked, yes: judge.yes }).toEqual({ exact: 0, semantic: 0, asked: 1, yes: 0 })
    expect((await cache('stats')).stdout).toMatch(/^ {2}judge +1 question, 0 yes, /m)
  })

  test('a run that is killed leaves a cache that works, and is resumed with it', async () => {
    const out = join(folder, 'out')
    const words = ['run', plan('five-files'), '--simulate', '--cache', join(folder, 'cache'), '--output', out]
    const killed = new Process(words)
    await killed.until('done')
    killed.child.kill('SIGKILL')
    await killed.exit()
    const before = await json<Stats>('stats')
    // Neither where files are nor where the cache is comes from the folder alone: somebody else may have written it.
    const unnamed = await aetherflow(['run', plan('five-files'), '--output', out, '--resume'])
    expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining(`--cache ${join(folder, 'cache')}`)])
    const resume = ['run', plan('five-files'), '--output', out, '--resume', '--cache', join(folder, 'cache')]
    const resumed = await aetherflow([...resume, '--json'])
    expect(resumed.code).toBe(0)
    expect(resumed.stderr).toContain(join(folder, 'cache'))
    const after = await json<Stats>('stats')
    expect(after.entries).toBeGreaterThan(before.entries)
    const again = await aetherflow([
      'run',
      plan('five-files'),
      '--simulate',
      '--cache',
      join(folder, 'cache'),
      '--json',
    ])
    expect(results(again.stdout).calls).toBe(0)
    const other = await aetherflow(['run', '--output', out, '--resume', '--cache', join(folder, 'elsewhere')])
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('the run began with the cache in')
    const whose = await aetherflow([...resume, '--tenant', 'somebody'])
    expect([whose.code, whose.stderr]).toEqual([2, expect.stringContaining('--tenant')])
  })

  test('a damaged folder is told, loses what is damaged, and goes on', async () => {
    await run()
    const before = await json<Stats>('stats')
    const place = join(folder, 'cache', readdirSync(join(folder, 'cache')).find((name) => name.startsWith('v')) ?? '')
    const largest = readdirSync(place)
      .filter((name) => name.endsWith('.seg'))
      .sort((a, b) => statSync(join(place, b)).size - statSync(join(place, a)).size)[0] as string
    const bytes = readFileSync(join(place, largest))
    bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 64)
    writeFileSync(join(place, largest), bytes)
    truncateSync(join(place, largest), bytes.length - 7)
    const again = await run('--json')
    expect(again.code).toBe(0)
    const warned = jsonLines(again.stdout).filter(
      ({ type, code }) => type === 'warning' && code === 'cache.store_failed',
    )
    expect(warned.length).toBeGreaterThan(0)
    const { report } = results(again.stdout)
    expect(report.cache?.['misses']).toBeGreaterThan(0)
    expect(report.cache?.['exact']).toBeGreaterThan(0)
    // Until its segment is rewritten, what is damaged is told whenever the folder is opened.
    const { stdout } = await cache('stats', '--json')
    expect((JSON.parse(stdout) as Stats).entries).toBe(before.entries)
  })
})

describe('what the cache holds', () => {
  const asked = 'How do I enable compression in the web server?'
  beforeEach(async () => {
    const open = await SemanticCache.open({ dir: join(folder, 'cache') })
    for (const tenant of ['me', 'you'])
      await open.put({
        prompt: asked,
        answer: 'With gzip.\u001b[2J',
        scope: { tenant, provider: 'groq', model: 'openai/big' },
      })
    await open.put({ prompt: '\u001b[31mred\nherring', answer: 'x', scope: { provider: 'gemini', model: 'flash' } })
    await open.close()
  })

  test('list: newest first, without a control character; clear: by tenant, provider and age', async () => {
    const { stdout } = await cache('list')
    expect(stdout).not.toMatch(/\u001b/)
    expect(stdout).toContain('me · groq/openai/big')
    const { entries, of } = await json<Listing>('list', '--limit', '2')
    expect([entries.length, of]).toEqual([2, 3])
    expect(entries[0]?.createdAt).toBeGreaterThanOrEqual(entries[1]?.createdAt ?? NaN)
    const unasked = await cache('clear')
    expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('--yes')])
    expect(await json('clear', '--older-than', '1h', '--yes')).toMatchObject({ removed: 0 })
    expect(await json('clear', '--tenant', 'me', '--yes')).toMatchObject({ removed: 1 })
    expect(await json('clear', '--provider', 'groq', '--model', 'flash', '--yes')).toMatchObject({ removed: 0 })
    expect(await json('clear', '--provider', 'gemini', '--yes')).toMatchObject({ removed: 1 })
    expect((await json<Listing>('list')).entries.map(({ label }) => label)).toEqual(['you · groq/openai/big'])
    expect(await json('clear', '--yes')).toMatchObject({ removed: 1 })
  })

  test('explain: the guard that refuses, the exact hit, the tenant; nothing is counted', async () => {
    const opposite = await cache('explain', 'How do I disable compression in the web server?')
    expect(opposite.stdout).toContain('refused: the opposite is asked')
    expect(opposite.stdout).toContain('miss')
    const exact = await json<{ kind: string; exact: unknown[] }>('explain', asked)
    expect([exact.kind, exact.exact.length]).toEqual(['exact', 2])
    const mine = await json<{ exact: { label: string }[] }>('explain', asked, '--tenant', 'me')
    expect(mine.exact.map(({ label }) => label)).toEqual(['me · groq/openai/big'])
    expect(await json('stats')).toMatchObject({ entries: 3, lookups: 0 })
  })

  test('explain with a prompt of a run around it, or from standard input', async () => {
    const words = ['run', plan('diamond'), '--simulate', 'instant', '--cache', join(folder, 'cache')]
    await aetherflow(words)
    const { entries } = await json<Listing>('list')
    // The list shows the beginning of a prompt, and which came last depends on the machine: one that is short enough to be whole.
    const kept = entries.find(({ prompt }) => prompt.startsWith('Outline'))!
    const within = await json<{ kind: string; exact: { key: string }[] }>(
      'explain',
      kept.prompt,
      '--in',
      kept.key.slice(0, 8),
    )
    expect([within.kind, within.exact.map(({ key }) => key)]).toEqual(['exact', [kept.key]])
    const other = entries.find(({ prompt }) => prompt === asked)!
    const elsewhere = await json<{ kind: string; exact: unknown[] }>(
      'explain',
      kept.prompt,
      '--in',
      other.key.slice(0, 8),
    )
    expect(elsewhere.exact).toEqual([])
    const none = await cache('explain', 'Do it.', '--in', 'ffffffffffff')
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no entry')])
    const piped = await aetherflow(['cache', 'explain', '-', '--json', '--cache', join(folder, 'cache')], `${asked}\n`)
    expect((JSON.parse(piped.stdout) as { kind: string }).kind).toBe('exact')
  })

  test('where nothing is, nothing is made', async () => {
    const nowhere = join(folder, 'nowhere')
    for (const words of [['stats'], ['list'], ['clear', '--yes'], ['explain', 'x']]) {
      const { code, stdout } = await aetherflow(['cache', ...words, '--cache', nowhere])
      expect([code, stdout]).toEqual([0, `nothing is kept in ${nowhere}\n`])
    }
    expect(existsSync(nowhere)).toBe(false)
  })
})

describe('evaluate', () => {
  const head = 'label\tcategory\ttext_a\ttext_b\n'
  const rows =
    '1\tsame\tExplain the build.\tExplain the build.\n' +
    '0\topposite\tHow do I enable compression in the web server?\tHow do I disable compression in the web server?\n' +
    '0\tnumber\tUse 4 threads for the build.\tUse 8 threads for the build.\n'
  const evaluate = (...words: string[]) => aetherflow(['cache', 'evaluate', ...words], '', { env: { HOME: folder } })

  test('counts per category and pooled, thresholds on the same vectors, reasons', async () => {
    const file = join(folder, 'pairs.tsv')
    writeFileSync(file, `\ufeff${head}${rows}`.replaceAll('\n', '\r\n'))
    const { code, stdout } = await evaluate(file, '--model', 'lexical', '--json')
    expect(code).toBe(0)
    const result = JSON.parse(stdout) as Record<string, Record<string, unknown>>
    expect(result).toMatchObject({ model: 'lexical-1', checksum: null, maxWrongShare: 0.01, pairs: 3 })
    expect(result['pooled']).toMatchObject({
      mustMiss: 2,
      wrong: 0,
      shouldHit: 1,
      hits: 1,
      wrongRate: { value: 0, low: 0 },
    })
    expect(Object.keys(result['categories'] ?? {})).toEqual(['same', 'opposite', 'number'])
    expect(result['thresholds']?.['0.60']).toMatchObject({ pooled: { mustMiss: 2, shouldHit: 1, hits: 1 } })
    expect(result['reasons']).toMatchObject({
      exact: { mustMiss: 0, shouldHit: 1 },
      'veto.polarity': { mustMiss: 1, shouldHit: 0 },
    })
    const human = await evaluate(file, '--model', 'lexical')
    expect(human.stdout).toContain('Of 100 answers served')
    expect(human.stdout).toContain('cosine ≥ 0.95')
  })

  test('a bad line is told with its number', async () => {
    const file = join(folder, 'pairs.tsv')
    writeFileSync(file, `${head}${rows}3\tx\ta\tb\n`)
    const { code, stderr } = await evaluate(file)
    expect([code, stderr]).toEqual([1, expect.stringContaining(`cache.pairs at ${file}:5`)])
  })

  const model = sharedPath('models/all-MiniLM-L6-v2')
  const there = existsSync(model)
  if (!there) console.warn(`skipped: no model in ${model}`)
  const withModel = there ? test : test.skip
  withModel('with the model: interrupted, what was embedded is kept; then the same however often', async () => {
    const file = join(folder, 'pairs.tsv')
    const things = Array.from({ length: 120 }, (_, at) => `part ${at} of the machine`)
    writeFileSync(file, head + things.map((it) => `0\tx\tHow do I start ${it}?\tHow do I stop ${it}?\n`).join(''))
    const kept = join(folder, '.cache', 'aetherflow', 'evaluate')
    const bytes = (): number =>
      (existsSync(kept) ? readdirSync(kept, { recursive: true, encoding: 'utf8' }) : [])
        .filter((name) => name.endsWith('.vec'))
        .reduce((sum, name) => sum + statSync(join(kept, name)).size, 0)
    const words = ['cache', 'evaluate', file, '--model', model]
    const interrupted = new Process(words, { env: { HOME: folder } })
    while (bytes() < 8_000 && interrupted.child.exitCode === null) await setTimeout(20)
    interrupted.child.kill('SIGINT')
    const { code, stderr, stdout } = await interrupted.exit()
    expect([code, stdout, stderr]).toEqual([130, '', expect.stringContaining('is kept for the next time')])
    expect(bytes()).toBeGreaterThanOrEqual(8_000)
    // Few pairs: each process loads the model for itself, which takes longer than they do.
    const few = ['--limit', '10', '--json']
    const again = () => alone([...words, ...few], '', { env: { HOME: folder } })
    const [one, two] = [await again(), await again()]
    expect(JSON.parse(one.stdout)).toMatchObject({ pooled: { mustMiss: 10, wrong: 0 }, model: 'all-MiniLM-L6-v2' })
    expect(two.stdout).toBe(one.stdout)
  })
})
