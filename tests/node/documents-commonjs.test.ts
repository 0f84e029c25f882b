/** The index by `require`: outlines by grammar where modules can be loaded, guessed where they cannot, and never a failure. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectPath } from '../fixtures/paths.js'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aetherflow-'))
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/store.ts'), 'export class Store {\n  clear(): void {\n    drop()\n  }\n}\n')
  writeFileSync(join(root, 'src/guide.md'), '# Clear\n\nThe store is cleared by hand.\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const library = projectPath('dist/cjs/node/index.js')
const required = `require(${JSON.stringify(library)})`
/** As Jest loads it without flags: a script that may load no module. */
const withoutModules = `(() => {
  const { createRequire, wrap } = require('node:module')
  const script = require('node:vm').runInThisContext(wrap(require('node:fs').readFileSync(${JSON.stringify(library)}, 'utf8')))
  const module = { exports: {} }
  script(module.exports, createRequire(${JSON.stringify(library)}), module, ${JSON.stringify(library)}, require('node:path').dirname(${JSON.stringify(library)}))
  return module.exports
})()`

test.each([
  ['by require', required, false],
  ['where nothing can be imported', withoutModules, true],
])('%s', (_, how, guessed) => {
  const code = `
    const { openDocs } = ${how}
    openDocs({ dir: ${JSON.stringify(join(root, 'src'))}, keep: false }).then(async (docs) => {
      const { sections } = await docs.search('what is done by hand')
      const files = docs.files().map(({ path, guessed }) => [path, guessed])
      const titles = docs.outline('store.ts').map(({ titles }) => titles)
      await docs.close()
      console.log(JSON.stringify({ files, titles, first: sections[0]?.path }))
    })`
  const env = { ...process.env, NODE_OPTIONS: '' }
  const told = JSON.parse(execFileSync(process.execPath, ['-e', code], { cwd: root, env, encoding: 'utf8' })) as {
    files: [string, boolean][]
    titles: string[]
    first: string
  }
  expect(told.files).toEqual([
    ['guide.md', false],
    ['store.ts', guessed],
  ])
  expect(told.first).toBe('guide.md')
  // By grammar a class has its methods below it.
  if (!guessed) expect(told.titles).toEqual(expect.arrayContaining([expect.stringContaining('clear')]))
})
