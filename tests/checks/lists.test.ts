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

/** Top-level domains that are words a programmer might choose: a chat makes a link of what ends so, and the link is a stranger's. */
const domains =
  'ac ai app bar bid bot box cab cafe call cam care cards cash center chat city click cloud codes community contact data day deals ' +
  'dev digital direct directory domains download email energy engineer events exchange expert express fail fan finance fit fun fund ' +
  'gives global green group guide help host how id info ink io is jobs link live loan management map market md me media mobi mov my ' +
  'name net network new news now one online open page parts pay phone pics place play plus press pro properties pub py re read ' +
  'rent repair report reviews rip rs run safe save sc school science search security select services sh show site so social ' +
  'software solutions space storage store stream style supply support systems tax team tech tips to today tools top town trade ' +
  'training uno vision watch web work works world ws xyz you zero zip zone'

test('no error code reads like an address', () => {
  const codes = [...readFileSync(`${root}core/base/error.def`, 'utf8').matchAll(/^X\(\w+, "([\w.]+)"/gm)].map(
    ([, code = '']) => code,
  )
  expect(codes.length).toBeGreaterThan(40)
  const taken = new Set(domains.split(' '))
  expect(codes.filter((code) => taken.has(code.split('.').at(-1) ?? ''))).toEqual([])
})

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
