/** The commands that help to begin, and what watches over a plan. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import { main } from '../../node/cli/program.js'
import { examplePlan, firstPlan, planCard } from '../../node/plan-card.js'
import { watching } from '../../node/cli/watch.js'
import { checkPlan } from '../../node/index.js'
import { loadCore } from '../../node/loader.js'
import { systemClock } from '../../web/standard/clock.js'

const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-assist-'))
const config = path.join(folder, 'config.json')
beforeAll(() => writeFileSync(config, '{}'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function hostOf() {
  const said = { out: '', err: '' }
  const stop = new AbortController()
  const host = {
    stdin: { async *[Symbol.asyncIterator]() {} },
    stdout: { write: (text: string) => void (said.out += text) },
    stderr: { write: (text: string) => void (said.err += text) },
    env: {},
    clock: systemClock,
    signal: stop.signal,
  }
  return { said, stop, host }
}
async function run(...words: string[]) {
  const { said, host } = hostOf()
  return { code: await main(words, host), ...said }
}

describe('guide', () => {
  test('is at most 600 tokens long, and its example is a plan without a warning', async () => {
    const core = new CoreRun(await loadCore())
    try {
      expect(core.estimateTokens(planCard)).toBeLessThanOrEqual(600)
    } finally {
      core.dispose()
    }
    const example = /\n(\{.*?\n\]\})\n/s.exec(planCard)?.[1] ?? ''
    expect(JSON.parse(example)).toEqual(examplePlan)
    expect((await checkPlan(example)).warnings).toEqual([])
    expect((await run('guide')).out).toBe(planCard)
  })

  test('names every kind of step that routes know, and every member that it uses', () => {
    const schema = JSON.parse(readFileSync('core/plan/plan.schema.json', 'utf8')) as {
      $defs: { step: { properties: Record<string, { examples?: string[] }> } }
    }
    const { properties } = schema.$defs.step
    for (const type of properties['type']?.examples ?? []) expect(planCard).toContain(type)
    for (const name of [
      'id',
      'description',
      'complexity',
      'estimated_tokens',
      'dependencies',
      'output',
      'optional',
      'priority',
    ]) {
      expect(properties).toHaveProperty(name)
      expect(planCard).toMatch(new RegExp(`^- (\\w+: .*)?${name}:|\\b${name}:`, 'm'))
    }
  })
})

describe('init', () => {
  test('writes a plan that runs, and never over what is there', async () => {
    const place = path.join(folder, 'new')
    expect((await run('init', place)).code).toBe(2)
    const here = mkdtempSync(path.join(folder, 'init-'))
    writeFileSync(path.join(here, '.gitignore'), 'mine\n.env\n')
    const first = await run('init', here)
    expect(first.out).toContain('.gitignore              left as it is; it lacks aetherflow-out/')
    expect(JSON.parse(readFileSync(path.join(here, 'plan.json'), 'utf8'))).toEqual(firstPlan)
    expect((await checkPlan(firstPlan)).warnings).toEqual([])
    const ran = await run(
      'run',
      path.join(here, 'plan.json'),
      '--simulate',
      'instant',
      '--config',
      config,
      '--no-output',
      '--quiet',
    )
    expect(ran.code).toBe(0)
    const { $schema } = JSON.parse(readFileSync(path.join(here, 'aetherflow.config.json'), 'utf8')) as {
      $schema: string
    }
    expect($schema).toMatch(/^\.\/node_modules\/@aetherflow\/aetherflow\/dist\/config\.schema\.json$/)
    expect(readFileSync(path.join(here, '.env.example'), 'utf8')).toMatch(/^#.*\n([A-Z_]+_API_KEY=\n){5,}$/)
    writeFileSync(path.join(here, 'plan.json'), 'mine')
    expect((await run('init', here)).out).not.toContain('written')
    expect(readFileSync(path.join(here, 'plan.json'), 'utf8')).toBe('mine')
  })
})

describe('init --mcp', () => {
  const entry = { command: 'npx', args: ['-y', '@aetherflow/aetherflow', 'mcp'] }
  const read = (...parts: string[]): unknown => JSON.parse(readFileSync(path.join(...parts), 'utf8'))

  test('writes the entries of assistants that are named, and of no other', async () => {
    const here = mkdtempSync(path.join(folder, 'init-'))
    await run('init', here)
    expect(readdirSync(here)).not.toContain('.mcp.json')
    await run('init', here, '--mcp', 'claude-code', 'cursor', 'vscode')
    expect(read(here, '.mcp.json')).toEqual({ mcpServers: { aetherflow: entry } })
    expect(read(here, '.cursor/mcp.json')).toEqual({ mcpServers: { aetherflow: entry } })
    expect(read(here, '.vscode/mcp.json')).toEqual({ servers: { aetherflow: { type: 'stdio', ...entry } } })
    expect((await run('init', here, '--mcp', 'emacs')).code).toBe(2)
  })

  test('leaves a file of somebody’s own as it is, and says what it lacks', async () => {
    const here = mkdtempSync(path.join(folder, 'init-'))
    const own = '{"mcpServers":{"other":{"command":"x"}}}'
    writeFileSync(path.join(here, '.mcp.json'), own)
    const { out } = await run('init', here, '--mcp', 'claude-code')
    expect(out).toContain('left as it is; it lacks, in "mcpServers": "aetherflow":{"command":"npx"')
    expect(readFileSync(path.join(here, '.mcp.json'), 'utf8')).toBe(own)
    writeFileSync(path.join(here, '.mcp.json'), '{"mcpServers":{"aetherflow":{}}}')
    expect((await run('init', here, '--mcp', 'claude-code')).out).toMatch(/\.mcp\.json +left as it is\n/)
  })
})

describe('schema and completion', () => {
  test.each(['plan', 'events', 'config'])('schema %s is JSON', async (name) => {
    const { out, code } = await run('schema', name)
    expect([code, (JSON.parse(out) as { $id: string }).$id]).toEqual([0, `urn:aetherflow:${name}:1`])
  })

  test.each([
    [['che'], 'check'],
    [['cache', 'li'], 'list'],
    [['run', '--keep'], '--keep-prompts'],
    [['run', 'x.json', '--dry'], '--dry-run'],
    [['run', '--interrupt', 'con'], 'continue'],
    [['completion', 'f'], 'fish'],
    [['model', 'pu'], 'pull'],
  ])('bash completes %j', async (words, expected) => {
    const { out } = await run('completion', 'bash')
    const all = ['aetherflow', ...words]
    const script = `${out}\nCOMP_WORDS=(${all.join(' ')}); COMP_CWORD=${all.length - 1}; _aetherflow; echo "\${COMPREPLY[@]}"`
    expect(execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' }).trim()).toBe(expected)
  })

  test('fish and zsh get one line a word, with nothing unquoted', async () => {
    const { out } = await run('completion', 'fish')
    expect(out).toMatch(
      /^complete -c aetherflow -n '__fish_seen_subcommand_from cache; and __fish_seen_subcommand_from list' -l limit -d '/m,
    )
    for (const line of out.trim().split('\n').slice(1))
      expect(line.replace(/'(?:[^']|'\\'')*'/g, '')).toMatch(/^complete( +-[\w-]+( [\w-]+)?)+ *$/)
    expect((await run('completion', 'zsh')).out).toContain('bashcompinit')
  })
})

describe('what a run would do and did', () => {
  const plan = path.join(folder, 'plan.json')
  beforeAll(() => writeFileSync(plan, JSON.stringify(firstPlan)))

  test('--dry-run explains, and keeps nothing', async () => {
    const out = path.join(folder, 'dry')
    const { code, out: said } = await run('run', plan, '--dry-run', '--simulate', '--config', config, '--output', out)
    expect(code).toBe(0)
    expect(said).toContain('nothing was called')
    expect(readdirSync(folder)).not.toContain('dry')
  })

  test('explain --prompts shows what would be sent, and run --keep-prompts keeps what was', async () => {
    const shown = await run('explain', plan, '--prompts', '--config', config)
    expect(shown.out.match(/^step \w+, main, attempt 1, to /gm)).toHaveLength(3)
    expect(shown.out).toContain('<output step="serious">')
    expect(shown.err).toContain('3 prompts; nothing was sent')
    const out = path.join(folder, 'kept')
    await run('run', plan, '--simulate', 'instant', '--config', config, '--output', out, '--keep-prompts')
    expect(readdirSync(path.join(out, 'prompts')).sort()).toEqual([
      'best.main.md',
      'playful.main.md',
      'serious.main.md',
    ])
    expect(readFileSync(path.join(out, 'prompts', 'serious.main.md'), 'utf8')).toContain('serious ones.')
  })

  test('an answer ends its last line, in a pipe too', async () => {
    const { out } = await run('generate', 'say it', '--simulate', 'instant', '--config', config)
    expect(out.endsWith('\n')).toBe(true)
    expect(out.endsWith('\n\n')).toBe(false)
  })

  test('--env-file, which Node would believe whole, is refused; --keys-file is not', async () => {
    const refused = await run('providers', '--offline', '--config', config, '--env-file', 'x')
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('use --keys-file')])
  })

  test('--watch works once now and once for each other content, and ends with the interruption', async () => {
    const { stop, host } = hostOf()
    const file = path.join(folder, 'watched.json')
    writeFileSync(file, 'one')
    const seen: string[] = []
    const end = watching(file, host, async () => {
      seen.push(readFileSync(file, 'utf8'))
      if (seen.length === 1) writeFileSync(file, 'two')
      else if (seen.length === 2) throw new Error('told, and no end')
      return 0
    })
    // The last word of each round is said on stderr; the second round fails, and only then it is stopped.
    const rounds = new Promise<void>((resolve) => {
      const write = host.stderr.write
      host.stderr.write = (text: string) => {
        write(text)
        if (seen.length === 2 && text.startsWith('watching')) resolve()
      }
    })
    await rounds
    stop.abort()
    expect(await end).toBe(1)
    expect(seen).toEqual(['one', 'two'])
  })
})
