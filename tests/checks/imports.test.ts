import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from '@jest/globals'
import { root, sources, withoutComments, type Source } from './sources.js'

// What no compiler reads: scripts, benches and examples name the compiled product by path, and nothing tells when a source moves.

const named = /(?:\bfrom|\bimport\(?|\bnew URL\()\s*(['"])(\.{1,2}\/[^'"?#]+)\1/g

/** Made by a build step of its own, without one source of the same name. */
const made = [
  'build/',
  'dist/browser/',
  'dist/cjs/',
  'dist/core/',
  'dist/element/',
  'dist/playground/',
  'dist/program/',
]

/** Whether the file is there, or its source is: the checks run before a build as well. */
function isThere(path: string): boolean {
  if (existsSync(root + path) || made.some((folder) => path.startsWith(folder))) return true
  if (!path.startsWith('dist/')) return false
  return existsSync(root + path.slice('dist/'.length).replace(/\.js$/, '.ts'))
}

function missing(file: Source, there = isThere): string[] {
  const text = withoutComments(file.text.replace(/`(?:\\.|[^`\\])*`/g, (found) => found.replace(/[^\n]/g, ' ')))
  return [...text.matchAll(named)]
    .map(([, , path]) => posix.join(posix.dirname(file.path), path ?? ''))
    .filter((path) => !path.startsWith('..') && !there(path.replace(/\/$/, '')))
    .map((path) => `${file.path}: no ${path}`)
}

test('the check sees every way to name a file', () => {
  const text = [
    "import a from './a.js'",
    "export { b } from '../b.js'",
    "import './c.js'",
    "await import('./d.js')",
    "new URL('./e.txt', import.meta.url)",
    "// from './f.js'",
    "import fs from 'node:fs'",
  ].join('\n')
  expect(missing({ path: 'x/y/z.mjs', text }, () => false)).toEqual(
    ['x/y/a.js', 'x/b.js', 'x/y/c.js', 'x/y/d.js', 'x/y/e.txt'].map((path) => `x/y/z.mjs: no ${path}`),
  )
})

test('scripts, benches and examples import files that exist', () => {
  // The measured examples' tests import what a plan is to write.
  const files = sources(['.mjs', '.cjs']).filter(({ path }) => !path.includes('measured/'))
  expect(files.length).toBeGreaterThan(30)
  expect(files.flatMap((file) => missing(file))).toEqual([])
})
