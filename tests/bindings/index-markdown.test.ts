/** The block structure of Markdown, against markdown-it: where top-level headings stand, and of which level. */
import { beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import MarkdownIt from 'markdown-it'
import { IndexCore } from '../../bindings/index/core.js'
import { loadIndex } from '../../node/loader.js'

const oracle = new MarkdownIt('commonmark')
/** `level:line`, from 1. */
const expected = (text: string): string[] =>
  oracle
    .parse(text, {})
    .filter(({ type, level }) => type === 'heading_open' && level === 0)
    .map(({ tag, map }) => `${tag.slice(1)}:${(map?.[0] ?? 0) + 1}`)

let core: IndexCore
beforeAll(async () => {
  const { module, data } = await loadIndex()
  core = new IndexCore(module, data)
})

const encoder = new TextEncoder()
function found(text: string): string[] {
  core.put('a.md', encoder.encode(text))
  return (core.outline('a.md') ?? []).filter(({ level }) => level > 0).map(({ level, first }) => `${level}:${first}`)
}

/** The examples of the specification. A blank line in front: what begins with --- would be front matter to us. */
function examples(): string[] {
  const spec = createRequire(import.meta.url).resolve('commonmark-spec/spec.txt')
  const text = readFileSync(spec, 'utf8')
  const blocks = text.matchAll(/^`{32} example\n([^]*?)^\.\n[^]*?^`{32}$/gm)
  return [...blocks].map(([, markdown = '']) => `\n${markdown.replaceAll('→', '\t')}`)
}

/** Lines that are hard to tell apart. */
const pieces = [
  ...[
    '# a',
    '## b ##',
    '#no',
    '####### seven',
    '   ### c',
    '    # code',
    '\t# tab',
    'text',
    'text  ',
    '',
    '',
    '===',
    '---',
    '- ---',
  ],
  ...[
    '```',
    '~~~~',
    '```js',
    '````',
    '~~~',
    '<div>',
    '</div>',
    '<!-- c',
    '-->',
    '<script>',
    '</script>',
    '<b>',
    '<?x',
    '?>',
  ],
  ...['> # q', '> text', '>', '- item', '  # in item', '1. one', '2. two', '   more', '* * *', '+', '-', '"'],
  ...['- > # deep', '-\t# t', '>\t# t', '\\# no', '<![CDATA[', ']]>', '<x y="', '  ', '-   # i', '10) x', '    - x'],
]

describe('headings', () => {
  test('of every example of CommonMark', () => {
    const all = examples()
    expect(all.length).toBeGreaterThan(600)
    expect(all.filter((text) => found(text).join() !== expected(text).join())).toEqual([])
  })

  test('put into every line of every example, so that fences, HTML, code, quotes and lists have their say', () => {
    const wrong: string[] = []
    let asked = 0
    for (const text of examples()) {
      const lines = text.split('\n')
      for (let at = 1; at <= lines.length; at++) {
        for (const probe of ['# probe', 'probe\n===', '   ## probe', '> # probe']) {
          // Definitions of links that reach over an underline: markdown-it takes them for definitions first, CommonMark's own
          // program for a heading first, as its description of phase 1 has it. We do as the latter.
          if (probe.includes('===') && /^[\s>-]*\[/m.test(text)) continue
          const probed = [...lines.slice(0, at), probe, ...lines.slice(at)].join('\n')
          asked += 1
          if (found(probed).join() !== expected(probed).join()) wrong.push(probed)
        }
      }
    }
    expect(asked).toBeGreaterThan(5000)
    expect(wrong).toEqual([])
  })

  test('of random texts made of what is hard', () => {
    let state = 7
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    const wrong: string[] = []
    for (let i = 0; i < 4000; i++) {
      const text = `\n${Array.from({ length: 2 + below(9) }, () => pieces[below(pieces.length)]).join('\n')}\n`
      if (found(text).join() !== expected(text).join()) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  test.each([
    ['\r\n', '# a\r\n\r\ntext\r\n\r\nb\r\n---\r\n', ['1:1', '2:5']],
    ['\r alone', '# a\rtext\r## b\r', ['1:1', '2:3']],
    ['front matter', '---\ntitle: x\n# no\n---\n# a\n', ['1:5']],
    ['front matter of another kind', '+++\nx = 1\n+++\na\n===\n', ['1:4']],
    ['front matter that never ends', '---\ntext\n# a\n', ['1:3']],
    ['a NUL', '# a\0b\n', ['1:1']],
  ])('with %s', (_, text, headings) => expect(found(text)).toEqual(headings))
})

test.each([
  ['# `code` and *stress*', 'code and stress'],
  ['# [A link](http://x.y) and ![an image](z.png)', 'A link and an image'],
  ['# snake_case and _stress_', 'snake_case and stress'],
  ['# a \\* b <b>c</b> #', 'a * b c'],
  ['# ', ''],
])('the title of %s', (text, title) => {
  core.put('t.md', encoder.encode(text))
  expect(core.outline('t.md')?.[0]?.titles).toBe(title)
})
