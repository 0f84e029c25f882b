import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { paths, root, sources, withoutComments } from './sources.js'

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

test('no two headers define a type of the same name: the linker would take either for both', () => {
  const homes = new Map<string, string[]>()
  for (const folder of ['core/', 'tests/core/']) {
    for (const { path, text } of sources(['.hpp'], folder)) {
      for (const [, name = ''] of withoutComments(text).matchAll(
        /^(?:struct|class|enum class) (\w+)(?: final)?[^;{]*\{/gm,
      )) {
        homes.set(name, [...(homes.get(name) ?? []), path])
      }
    }
  }
  expect(homes.size).toBeGreaterThan(60)
  expect([...homes].filter(([, paths]) => paths.length > 1)).toEqual([])
})
