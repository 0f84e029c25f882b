/** Folders and patterns in `context.files`. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runPlan, type SentPrompt } from '../../node/index.js'
import { contextPaths } from '../../node/run/context-paths.js'

const base = mkdtempSync(path.join(tmpdir(), 'aetherflow-paths-'))
const files = [
  ...['src/a.ts', 'src/b.test.ts', 'src/deep/c.ts', 'src/deep/er/d.js', 'src/{odd}.ts', 'README.md', 'docs/x.md'],
  ...['src/.hidden.ts', '.env', 'node_modules/p/i.ts', 'src/dist/o.ts'],
]
beforeAll(() => {
  for (const file of files) {
    mkdirSync(path.dirname(path.join(base, file)), { recursive: true })
    writeFileSync(path.join(base, file), `content of ${file}`)
  }
  mkdirSync(path.join(base, 'empty'))
  symlinkSync('/etc', path.join(base, 'src', 'elsewhere'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

test.each([
  ['src/a.ts', ['src/a.ts']],
  ['src/missing.ts', ['src/missing.ts']],
  ['src/*.ts', ['src/a.ts', 'src/b.test.ts', 'src/{odd}.ts']],
  ['src/?.ts', ['src/a.ts']],
  ['src/**/*.ts', ['src/a.ts', 'src/b.test.ts', 'src/deep/c.ts', 'src/{odd}.ts']],
  ['**/*.{md,js}', ['README.md', 'docs/x.md', 'src/deep/er/d.js']],
  ['src/deep/**', ['src/deep/c.ts', 'src/deep/er/d.js']],
  ['src/deep', ['src/deep/c.ts', 'src/deep/er/d.js']],
  ['./src/deep/', ['src/deep/c.ts', 'src/deep/er/d.js']],
  ['node_modules/p/*', ['node_modules/p/i.ts']],
  // A file that is called so is that file.
  ['src/{odd}.ts', ['src/{odd}.ts']],
  // Refused where they are read.
  ['../*', ['../*']],
  ['/etc/*', ['/etc/*']],
  ['src/elsewhere', ['src/elsewhere']],
])('%s', async (entry, expected) => {
  expect(await contextPaths(base, entry)).toEqual(expected)
})

test.each(['empty', '*.nothing', '**/.env', 'src/elsewhere/*'])('%s comes to nothing, and says so', async (entry) => {
  const code = await contextPaths(base, entry).catch((error: { code: string }) => error.code)
  expect(code).toBe('host.file_refused')
})

test('a pattern made to be searched for ever is not', async () => {
  writeFileSync(path.join(base, `${'a'.repeat(200)}.txt`), '')
  expect(await contextPaths(base, `${'*a'.repeat(60)}*b`).catch(() => 'refused')).toBe('refused')
  expect(await contextPaths(base, '{a,b}'.repeat(40)).catch(() => 'refused')).toBe('refused')
})

test('a step gets each file once, in its order, and the prompt is told', async () => {
  const prompts: SentPrompt[] = []
  const step = { id: 'a', type: 'analysis', description: 'read', context: { files: ['README.md', 'src/deep', '*.md'] } }
  const { outcome } = await runPlan(
    { task_id: 't', description: 'd', steps: [step] },
    { simulate: 'instant', config: {}, folder: base, onPrompt: (prompt) => prompts.push(prompt) },
  )
  expect(outcome).toBe('ok')
  const contents = [...(prompts[0]?.user ?? '').matchAll(/content of (\S+)/g)].map(([, file]) => file)
  expect(contents).toEqual(['README.md', 'src/deep/c.ts', 'src/deep/er/d.js'])
  expect(prompts[0]).toMatchObject({ step: 'a', purpose: 'main', attempt: 0 })
})
