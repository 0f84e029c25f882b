import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { paths, root } from './sources.js'

describe('every C++ source is named in its CMake list', () => {
  test.each([
    ['core/CMakeLists.txt', 'core/'],
    ['tests/CMakeLists.txt', 'tests/'],
    ['bindings/CMakeLists.txt', 'bindings/'],
  ])('%s', (list, folder) => {
    const words = readFileSync(root + list, 'utf8')
      .replace(/#.*/g, '')
      .split(/[\s()]+/)
    const listed = words.filter((word) => word.endsWith('.cpp')).map((word) => folder + word)
    const present = paths(['.cpp'], folder)
    expect(present.filter((path) => !listed.includes(path))).toEqual([])
    expect(listed.filter((path) => !present.includes(path))).toEqual([])
  })
})

test.each(['bindings/generate.mjs', 'core/route/generate.mjs', 'core/cache/generate.mjs'])(
  '%s would write what is checked in',
  (generator) => {
    const { status, stderr } = spawnSync(process.execPath, [root + generator, '--check'], { encoding: 'utf8' })
    expect(`${status} ${stderr}`).toBe('0 ')
  },
)
