import { describe, expect, test } from '@jest/globals'
import { lineOf, sources, withoutComments, type Source } from './sources.js'

/** What would let the core look at the world, or make two builds differ. */
const worldly: readonly (readonly [RegExp, string])[] = [
  [/#include\s*<(chrono|ctime|time\.h|sys\/\w+\.h|unistd\.h)>/g, 'a clock'],
  [/#include\s*<random>|(?<![\w.>])s?rand(om)?\s*\(/g, 'chance'],
  [/#include\s*<(iostream|ostream|istream|sstream|iomanip|fstream|filesystem|cstdio|stdio\.h)>/g, 'files or printing'],
  [/(?<![\w.>])(std::)?(f?printf|puts|putchar|fopen|getenv|system)\s*\(/g, 'files, printing or the environment'],
  [/(?<![\w.>])(std::)?(time|clock|gettimeofday)\s*\(/g, 'a clock'],
  [/#include\s*<(thread|mutex|atomic|future|condition_variable|shared_mutex)>/g, 'threads'],
  [/(?<![\w.>])(std::)?(abort|exit|_Exit|quick_exit|terminate)\s*\(/g, 'the end of the process'],
  [/(?<![\w])std::(exp2?|log(2|10|1p)?|pow|sin|cos|tan|a(sin|cos|tan2?)|cbrt|hypot|fma)\s*\(/g, 'a libm that differs'],
  [/\b(throw\b|try\s*\{|dynamic_cast|typeid)/g, 'exceptions or RTTI'],
]

function looksAtTheWorld(file: Source): string[] {
  const text = withoutComments(file.text)
  return worldly.flatMap(([pattern, what]) =>
    [...text.matchAll(pattern)].map(
      (match) => `${file.path}:${lineOf(text, match.index)}: ${what}: ${match[0].trim()}`,
    ),
  )
}

describe('the check itself', () => {
  test.each([
    '#include <chrono>',
    '#include <random>',
    'int x = rand();',
    'printf("%d", 1);',
    'auto t = std::time(nullptr);',
    '#include <thread>',
    'std::abort();',
    'double y = std::exp(x);',
    'throw 1;',
  ])('%s', (text) => {
    expect(looksAtTheWorld({ path: 'core/a.cpp', text: `\n${text}` })).toEqual([
      expect.stringMatching(/^core\/a\.cpp:2: /),
    ])
  })

  test.each([
    '// std::time(nullptr)',
    'event.time()',
    'serviceTime(3)',
    'double y = std::sqrt(x);',
    'int random_ = 1;',
  ])('allows %s', (text) => {
    expect(looksAtTheWorld({ path: 'core/a.cpp', text })).toEqual([])
  })
})

test('the core never looks at the world', () => {
  const files = sources(['.cpp', '.hpp'], 'core/')
  expect(files.length).toBeGreaterThan(10)
  expect(files.flatMap(looksAtTheWorld)).toEqual([])
})

test('the process ends in one place only', () => {
  const files = [...sources(['.ts'], 'bindings/'), ...sources(['.ts'], 'web/'), ...sources(['.ts'], 'node/')]
  const enders = files
    .filter((file) => /\bprocess\.exit\s*\(/.test(withoutComments(file.text)))
    .map((file) => file.path)
  expect(enders.filter((path) => path !== 'node/cli/main.ts')).toEqual([])
})
