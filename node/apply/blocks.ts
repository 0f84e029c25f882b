/**
 * Search/replace blocks of an answer, and a file changed by them. A block's first part must stand in the file exactly once: line
 * for line, else but for space at the ends of lines and within them, else but for an indentation that all its lines share. Never a
 * guess: what is not found is refused with the place that comes nearest.
 *
 *   <<<<<<< SEARCH
 *   lines as they are
 *   =======
 *   lines as they shall be
 *   >>>>>>> REPLACE
 */
import { joinLines, splitLines, type Line } from './lines.js'

export interface Block {
  readonly search: readonly string[]
  readonly replace: readonly string[]
}

/** A block that does not fit. */
export interface Conflict {
  /** From 1. */
  readonly block: number
  readonly why: string
  /** The place that comes nearest, with its first line from 1. */
  readonly nearest?: { readonly line: number; readonly text: string }
}

const opens = /^\s*<{5,9} ?SEARCH\s*$/
const parts = /^\s*={5,9}\s*$/
const closes = /^\s*>{5,9} ?REPLACE\s*$/

/** The blocks of an answer, with prose and fences around them left out; a text says why there are none. */
export function readBlocks(answer: string): readonly Block[] | string {
  const blocks: Block[] = []
  let search: string[] | undefined
  let replace: string[] | undefined
  for (const line of answer.split(/\r?\n/)) {
    if (opens.test(line)) {
      if (search !== undefined) return `block ${blocks.length + 1} does not end before the next begins`
      search = []
    } else if (search !== undefined && replace === undefined && parts.test(line)) replace = []
    else if (search !== undefined && replace !== undefined && closes.test(line)) {
      blocks.push({ search, replace })
      search = replace = undefined
    } else (replace ?? search)?.push(line)
  }
  if (search !== undefined) return `block ${blocks.length + 1} does not end`
  return blocks.length === 0 ? 'the answer has no block of the form <<<<<<< SEARCH … ======= … >>>>>>> REPLACE' : blocks
}

type Same = (file: string, search: string) => boolean
const tight = (line: string): string => {
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  return indent + line.slice(indent.length).trimEnd().replace(/\s+/g, ' ')
}
/** Without the ladder's last rung. */
const rungs: readonly Same[] = [(file, search) => file === search, (file, search) => tight(file) === tight(search)]

interface Found {
  readonly at: number
  readonly replace: readonly string[]
}

const indentOf = (line: string): string => /^[ \t]*/.exec(line)?.[0] ?? ''
const isBlank = (line: string): boolean => line.trim() === ''

/** By how much the file is indented more (or, with `less`, less) than the block; undefined: by no common amount. */
function shift(file: readonly string[], search: readonly string[]): { by: string; less: boolean } | undefined {
  let found: { by: string; less: boolean } | undefined
  for (let i = 0; i < search.length; ++i) {
    const [own, its] = [search[i] ?? '', file[i] ?? '']
    if (isBlank(own) !== isBlank(its)) return undefined
    if (isBlank(own)) continue
    if (tight(own.trimStart()) !== tight(its.trimStart())) return undefined
    const [from, to] = [indentOf(own), indentOf(its)]
    const less = to.length < from.length
    if (!(less ? from.endsWith(to) : to.endsWith(from))) return undefined
    const by = less ? from.slice(0, from.length - to.length) : to.slice(0, to.length - from.length)
    if (found !== undefined && (found.by !== by || found.less !== less)) return undefined
    found = { by, less }
  }
  return found
}

function shifted(lines: readonly string[], { by, less }: { by: string; less: boolean }): string[] | undefined {
  const moved = lines.map((line) => {
    if (isBlank(line)) return line
    if (!less) return by + line
    return line.startsWith(by) ? line.slice(by.length) : undefined
  })
  return moved.includes(undefined) ? undefined : (moved as string[])
}

/** Where a block fits; several: it is ambiguous at the first rung where it fits at all. */
function places(lines: readonly Line[], { search, replace }: Block): Found[] {
  const texts = lines.map(({ text }) => text)
  const starts = Math.max(0, texts.length - search.length + 1)
  for (const same of rungs) {
    const found: Found[] = []
    for (let at = 0; at < starts; ++at)
      if (search.every((line, i) => same(texts[at + i] ?? '', line))) found.push({ at, replace })
    if (found.length > 0) return found
  }
  const found: Found[] = []
  for (let at = 0; at < starts; ++at) {
    const by = shift(texts.slice(at, at + search.length), search)
    const moved = by === undefined ? undefined : shifted(replace, by)
    if (moved !== undefined) found.push({ at, replace: moved })
  }
  return found
}

const words = (line: string): Set<string> => new Set(line.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [])

function likeness(a: string, b: string): number {
  const [left, right] = [words(a), words(b)]
  if (left.size + right.size === 0) return 1
  let both = 0
  for (const word of left) if (right.has(word)) ++both
  return (2 * both) / (left.size + right.size)
}

/** The place of as many lines as the block that is most like it; undefined: nothing is. */
function nearest(lines: readonly Line[], search: readonly string[]): Conflict['nearest'] {
  const few = search.slice(0, 60)
  let best: { at: number; score: number } | undefined
  for (let at = 0; at < lines.length && at < 20_000; ++at) {
    // Only from lines that are like the first: a whole comparison for each line would be slow on long files.
    const first = likeness(lines[at]?.text ?? '', few[0] ?? '')
    if (first < 0.5 && best !== undefined) continue
    const score = few.reduce((sum, line, i) => sum + likeness(lines[at + i]?.text ?? '', line), 0) / few.length
    if (best === undefined || score > best.score) best = { at, score }
  }
  if (best === undefined || best.score < 0.3) return undefined
  const text = lines.slice(best.at, best.at + few.length).map((line) => line.text)
  return { line: best.at + 1, text: text.join('\n') }
}

/** The file after all blocks, or the first that does not fit. Each is looked for in the file as it was. */
export function applyBlocks(source: string, blocks: readonly Block[]): string | Conflict {
  const { bom, lines } = splitLines(source)
  const all: (Found & { readonly lines: number; readonly block: number })[] = []
  for (const [index, block] of blocks.entries()) {
    const number = index + 1
    if (block.search.every(isBlank)) {
      if (source.trim() !== '' || blocks.length > 1) return { block: number, why: 'its first part is empty' }
      return block.replace.join('\n') + (block.replace.length > 0 ? '\n' : '')
    }
    const found = places(lines, block)
    const [only] = found
    if (only === undefined) {
      const near = nearest(lines, block.search)
      return { block: number, why: 'its first part does not stand in the file', ...(near && { nearest: near }) }
    }
    if (found.length > 1) {
      const at = found.map((one) => one.at + 1).join(', ')
      return { block: number, why: `its first part stands ${found.length} times in the file, at lines ${at}` }
    }
    all.push({ ...only, lines: block.search.length, block: number })
  }
  all.sort((a, b) => a.at - b.at)
  for (const [index, one] of all.entries()) {
    const before = all[index - 1]
    if (before !== undefined && before.at + before.lines > one.at)
      return { block: one.block, why: `it changes lines that block ${before.block} changes too` }
  }
  for (const one of all.reverse()) lines.splice(one.at, one.lines, ...replaced(lines, one))
  return bom + joinLines(lines)
}

/** New lines end as the old ones did; the last line of a file keeps its missing end. */
function replaced(lines: readonly Line[], { at, lines: count, replace }: Found & { readonly lines: number }): Line[] {
  const last = lines[at + count - 1]
  const end = lines[at]?.end || lines.find((line) => line.end !== '')?.end || '\n'
  return replace.map((text, index) => ({ text, end: index === replace.length - 1 ? (last?.end ?? end) : end }))
}

/** A conflict in words, for a repair and for people. */
export function conflictWords(path: string, { block, why, nearest: near }: Conflict): string {
  const place = near === undefined ? '' : `; nearest is line ${near.line}:\n${near.text}`
  return `block ${block} does not fit ${path}: ${why}${place}`
}
