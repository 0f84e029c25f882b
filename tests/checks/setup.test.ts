import { expect, test } from '@jest/globals'
import { pathToFileURL } from 'node:url'
import { root } from './sources.js'

/** Scripts are plain JavaScript: loaded as they are, typed here. */
const load = async <T>(path: string) => (await import(pathToFileURL(root + path).href)) as T

const { advice } = await load<{ advice(missing: string[], manager?: string): string }>('scripts/lib/needs.mjs')
const { packagesAreRight } = await load<{ packagesAreRight(lock: unknown, installed: unknown): boolean }>(
  'scripts/setup.mjs',
)
const { googleTestResult, jestResult } =
  await load<
    Record<'googleTestResult' | 'jestResult', (file: string, code: number) => { passed: number; failed: number }>
  >('scripts/lib/results.mjs')

test('what is missing is named, with the package names of the system', () => {
  const apt = advice(['cmake', 'emscripten'], 'apt')
  expect(apt).toContain('CMake 3.24 or newer')
  expect(apt).toContain('apt-get install cmake emscripten')
  expect(advice(['ninja', 'compiler'], 'dnf')).toContain('dnf install ninja-build gcc-c++')
  expect(advice(['emscripten'], 'brew')).toContain('  brew install emscripten')
  expect(advice(['emscripten'])).toContain('Emscripten 3.1.6 or newer')
  expect(advice(['emscripten'])).not.toContain('undefined')
})

test('npm packages are right only in the versions of the lock file', () => {
  const lock = { packages: { '': {}, a: { version: '1.0.0' }, b: { version: '2.0.0', optional: true } } }
  expect(packagesAreRight(lock, { packages: { a: { version: '1.0.0' } } })).toBe(true)
  expect(packagesAreRight(lock, { packages: { a: { version: '1.0.1' } } })).toBe(false)
  expect(packagesAreRight(lock, { packages: {} })).toBe(false)
  expect(packagesAreRight(lock, { packages: { a: { version: '1.0.0' }, b: { version: '1.0.0' } } })).toBe(false)
  expect(packagesAreRight(lock, undefined)).toBe(false)
})

test('a runner that ran nothing, or crashed, counts as a failure', () => {
  expect(googleTestResult('build/results/absent.json', 0)).toMatchObject({ passed: 0, failed: 1 })
  expect(jestResult('build/results/absent.json', 0)).toMatchObject({ passed: 0, failed: 1 })
  expect(jestResult('build/results/absent.json', 139)).toMatchObject({ passed: 0, failed: 1 })
})
