/** What names something has to name something that is there: files in comments and documents; and a library names no flags of a program. */
import { expect, test } from '@jest/globals'
import { lineOf, paths, sources, withoutComments, type Source } from './sources.js'

const fileName = /(?<![\w/*{}.<-])(?:[\w-]+\/|\.\.?\/)*[\w.-]+\.(?:ts|mjs|cpp|hpp|def|cmake|md|html|tsv)\b(?!\w|\.\w)/g
const comment = /(?<![:'"\w])\/\/[^\n]*|\/\*[^]*?\*\//g

/** Files of users and of other packages that documents speak of. */
const elsewhere = new Set([
  ...['report.md', 'report.html', 'PAIRS.tsv', 'docs/a.md', 'docs/guide.md', 'llama.cpp'],
  ...['benchmark_report.md', 'benchmark_report.html', 'comparison_report.md', 'comparison_report.html'],
  ...['ort.wasm.bundle.min.mjs', 'ort.webgpu.bundle.min.mjs'],
])

const all = paths([''])
const tops = new Set(all.map((path) => path.split('/', 1)[0] ?? ''))
/** Every way to name a file by the end of its path. */
const known = new Set(all.flatMap((path) => path.split('/').map((_, at, parts) => parts.slice(at).join('/'))))

/** `path:line: name` of each file that a comment, or a Markdown text, names and that is not there. */
function missing({ path, text }: Source): string[] {
  const spoken = path.endsWith('.md') ? [{ 0: text, index: 0 }] : [...text.matchAll(comment)]
  const named = spoken.flatMap(({ 0: words, index }) =>
    [...words.matchAll(fileName)].map((match) => ({ name: match[0], at: index + match.index })),
  )
  return named.flatMap(({ name, at }) => {
    const bare = name.replace(/^(\.\.?\/)+/, '')
    // Tests speak of files that they make: there only names from a folder of the project on count.
    const counts = !path.startsWith('tests/') || (bare.includes('/') && tops.has(bare.split('/', 1)[0] ?? ''))
    // What is built is not there yet.
    const built = bare.startsWith('dist/') || bare.startsWith('build/')
    return !counts || built || known.has(bare) || elsewhere.has(bare) ? [] : [`${path}:${lineOf(text, at)}: ${name}`]
  })
}

test('the check of file names finds what is missing, and takes what is there', () => {
  const of = (text: string, path = 'core/a.ts') => missing({ path, text })
  expect(of('\n// see no-such-file.ts')).toEqual(['core/a.ts:2: no-such-file.ts'])
  expect(of('/** no/such.hpp */')).toEqual(['core/a.ts:1: no/such.hpp'])
  expect(of('Like [this](../no/such.md).', 'node/README.md')).toEqual(['node/README.md:1: ../no/such.md'])
  expect(of('// circles.ts, checks/words.test.ts and core/run/run.hpp')).toEqual([])
  expect(of("const name = 'no-such-file.ts' // https://example.org/other.html")).toEqual([])
})

test('every file that a comment or a document names exists', () => {
  const files = sources(['.ts', '.mjs', '.cpp', '.hpp', '.def', '.md'])
  const read = files.filter(
    ({ path }) => !/generated|^CHANGELOG|fixtures\/|^examples\/(plans|tasks|measured)/.test(path),
  )
  expect(read.length).toBeGreaterThan(400)
  expect(read.flatMap(missing)).toEqual([])
})

/** A flag of the command line, or one of its commands. A style sheet's variables are none. */
const flag =
  /(?<![\w(-])--(?!af-|text|muted|line|page|link|depth)[a-z][a-z-]+|\baetherflow (?:[a-z]+ )?-?-?(?:run|check|explain|providers|model|cache|replay|resume|reuse|simulate|help)\b/g

const flagsIn = ({ path, text }: Source): string[] => {
  const code = withoutComments(text)
  return [...code.matchAll(flag)].map((match) => `${path}:${lineOf(code, match.index)}: ${match[0]}`)
}

test('the core and the library name no flags and commands of the program', () => {
  expect(flagsIn({ path: 'a.ts', text: "'use --simulate'\n`see aetherflow providers`" })).toHaveLength(2)
  const files = [
    ...sources(['.ts'], 'web/standard/'),
    ...sources(['.ts'], 'web/browser/'),
    ...sources(['.ts'], 'bindings/'),
    ...sources(['.def'], 'core/base/'),
  ].filter(({ path }) => !path.startsWith('web/standard/testing/'))
  expect(files.length).toBeGreaterThan(150)
  expect(files.flatMap(flagsIn)).toEqual([])
})
