/** What `npm start` goes by when it builds nothing. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { root as project } from './sources.js'

interface Built {
  isBuilt(root: string): boolean
  rememberBuilt(root: string): void
}
const { isBuilt, rememberBuilt } = (await import(`${project}scripts/lib/built.mjs`)) as Built

const root = mkdtempSync(path.join(tmpdir(), 'aetherflow-built-'))
const write = (file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  writeFileSync(path.join(root, file), text)
}

beforeEach(() => {
  write('core/run/run.cpp', 'int run();')
  write('node/cli/main.ts', 'main()')
  write('dist/node/cli/main.js', 'main()')
  rememberBuilt(root)
})
afterAll(() => {
  rmSync(root, { recursive: true })
})

test('nothing was built in a folder of which nothing is known', () => {
  rmSync(path.join(root, 'build'), { recursive: true })
  expect(isBuilt(root)).toBe(false)
})

test('what was built stands while nothing changes', () => {
  expect(isBuilt(root)).toBe(true)
  write('README.md', 'no input of a build')
  write('build/results/bench.json', '{}')
  expect(isBuilt(root)).toBe(true)
})

test.each([
  ['a source of the core', 'core/run/run.cpp', 'int run(int);'],
  ['a new source', 'web/standard/clock.ts', 'clock()'],
  ['the lock of the packages', 'package-lock.json', '{}'],
  ['packages that were installed', 'node_modules/.package-lock.json', '{}'],
  ['what was built itself', 'dist/node/cli/main.js', 'other()'],
])('%s is looked at', (_, file, text) => {
  write(file, text)
  expect(isBuilt(root)).toBe(false)
})

test('a source of the same size with another time, and an output that is gone', () => {
  utimesSync(path.join(root, 'node/cli/main.ts'), 1, 1)
  expect(isBuilt(root)).toBe(false)
  rememberBuilt(root)
  rmSync(path.join(root, 'dist/node/cli/main.js'))
  expect(isBuilt(root)).toBe(false)
})
