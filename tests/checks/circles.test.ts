import { expect, test } from '@jest/globals'
import { circles } from './circles.js'
import { sources } from './sources.js'

const file = (path: string, ...imports: string[]) => ({
  path,
  text: imports.map((name) => `import type { X } from '${name}'\n`).join(''),
})

test('the check finds circles of any length, of types and of parts loaded on demand, each once', () => {
  expect(circles([file('a.ts', './b.js'), file('b.ts', './a.js')])).toEqual(['a.ts → b.ts → a.ts'])
  const three = [
    file('x/a.ts', '../b.js'),
    file('b.ts', './y/c.js'),
    file('y/c.ts', '../x/a.js'),
    file('d.ts', './b.js'),
  ]
  expect(circles(three)).toEqual(['x/a.ts → b.ts → y/c.ts → x/a.ts'])
  expect(circles([{ path: 'a.ts', text: "await import('./a.js')" }])).toEqual(['a.ts → a.ts'])
  expect(circles([file('a.ts', './b.js', 'node:fs'), file('b.ts', './absent.js')])).toEqual([])
})

test('no imports run in a circle', () => {
  const files = ['bindings/', 'web/', 'node/', 'tests/'].flatMap((folder) => sources(['.ts'], folder))
  expect(files.length).toBeGreaterThan(200)
  expect(circles(files)).toEqual([])
})
