import { expect, test } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { cppFunctions, scriptFunctions } from './functions.js'
import { root, sources } from './sources.js'

const generated = (path: string) => path.startsWith('bindings/generated/') || path.includes('.generated.')
const all = () =>
  sources(['.cpp', '.hpp', '.def', '.ts', '.mjs', '.cmake', 'CMakeLists.txt']).filter((f) => !generated(f.path))

test('no file has more than 400 lines', () => {
  const long = all().filter((file) => file.text.trimEnd().split('\n').length > 400)
  expect(long.map((file) => file.path)).toEqual([])
})

test('functions are measured in C++ and TypeScript', () => {
  const cpp = 'namespace a {\n\nint f(int x) {\n  if (x) {\n    return 1;\n  }\n  return 0;\n}\n\n}  // namespace a\n'
  expect(cppFunctions({ path: 'a.cpp', text: cpp })).toEqual([{ place: 'a.cpp:3', lines: 6 }])
  const ts = 'export function f() {\n  const g = () => {\n    return 1\n  }\n  return g\n}\n'
  expect(scriptFunctions({ path: 'a.ts', text: ts }).map((f) => f.lines)).toEqual([6, 3])
})

test('no function has more than 60 lines', () => {
  const long = all()
    .flatMap((file) => (/\.[cht]pp$/.test(file.path) ? cppFunctions(file) : scriptFunctions(file)))
    .filter((found) => found.lines > 60)
  expect(long).toEqual([])
})

test.each([
  ['aetherflow_core', 108],
  ['aetherflow_cache', 55],
  ['aetherflow_index', 60],
  ['aetherflow_limits', 25],
])('%s: wasm and glue together stay within %i KB gzip', (name, most) => {
  const zipped = (file: string) => gzipSync(readFileSync(`${root}dist/core/${file}`), { level: 9 }).length
  const [wasm, glue] = [zipped(`${name}.wasm`), zipped(`${name}.mjs`)]
  expect(wasm).toBeGreaterThan(1000)
  expect(wasm + glue).toBeLessThanOrEqual(most * 1024)
})

test('what a page loads stays within 150 KB gzip', async () => {
  const { pageSizes } = (await import(pathToFileURL(`${root}scripts/lib/bundle.mjs`).href)) as {
    pageSizes(): { files: string[]; script: number; module: number }
  }
  const { files, script, module } = pageSizes()
  expect(files).toEqual(expect.arrayContaining(['dist/browser/index.js', 'dist/browser/worker.js']))
  // Index and worker share at least the driver.
  expect(files.length).toBeGreaterThan(2)
  expect(script).toBeGreaterThan(10 * 1024)
  expect(script + module).toBeLessThanOrEqual(150 * 1024)
})

test('the top level holds only what belongs there', () => {
  const known = new Set([
    ...['.ci', '.git', '.clang-format', '.gitattributes', '.gitignore', '.prettierignore', '.prettierrc.json'],
    ...['README.md', 'LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md'],
    ...['CMakeLists.txt', 'CMakePresets.json', 'jest.config.mjs', 'package.json', 'package-lock.json'],
    ...['tsconfig.base.json', 'tsconfig.json', 'eslint.config.mjs'],
    ...['bindings', 'core', 'examples', 'node', 'scripts', 'tests', 'web'],
    // Made by tools and ignored by git.
    ...['node_modules', 'build', 'dist', 'aetherflow-out'],
  ])
  expect(readdirSync(root).filter((name) => !known.has(name) && !name.endsWith('.tgz'))).toEqual([])
})
