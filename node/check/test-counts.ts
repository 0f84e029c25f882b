/** How many tests ran and passed, by what test runners say at their end: TAP and Node, Jest and Vitest, Mocha, pytest, unittest. */

export interface TestCounts {
  readonly passed: number
  readonly total: number
}

const last = (text: string, pattern: RegExp): RegExpMatchArray | undefined => [...text.matchAll(pattern)].at(-1)
const count = (text: string, pattern: RegExp): number => Number(last(text, pattern)?.[1] ?? 0)

/** undefined: nothing of it is known. */
export function countsOf(output: string): TestCounts | undefined {
  // Colours.
  const text = output.replace(/\x1b\[[0-9;]*m/g, '')
  const tap = last(text, /^(?:#|ℹ) tests (\d+)$/gm)
  if (tap !== undefined) return { passed: count(text, /^(?:#|ℹ) pass (\d+)$/gm), total: Number(tap[1]) }
  const line = last(text, /^\s*Tests:?\s+(.*\d+.*)$/gm)?.[1]
  if (line !== undefined) {
    const passed = Number(/(\d+) passed/.exec(line)?.[1] ?? 0)
    const total = /(\d+) total/.exec(line)?.[1] ?? /\((\d+)\)/.exec(line)?.[1]
    return { passed, total: Number(total ?? passed + Number(/(\d+) failed/.exec(line)?.[1] ?? 0)) }
  }
  const pytest = last(
    text,
    /^=*\s*((?:\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|warnings?|deselected)[, ]*)+) in [\d.]+s/gm,
  )
  if (pytest !== undefined) {
    const said = pytest[1] ?? ''
    const passed = count(said, /(\d+) passed/g)
    return { passed, total: passed + count(said, /(\d+) failed/g) + count(said, /(\d+) error/g) }
  }
  const unittest = last(text, /^Ran (\d+) tests? in/gm)
  if (unittest !== undefined) {
    const total = Number(unittest[1])
    const failed = /^FAILED \((.*)\)/m.exec(text)?.[1] ?? ''
    return { passed: total - count(failed, /failures=(\d+)/g) - count(failed, /errors=(\d+)/g), total }
  }
  const mocha = last(text, /^\s*(\d+) passing/gm)
  if (mocha === undefined) return undefined
  const passed = Number(mocha[1])
  return { passed, total: passed + count(text, /^\s*(\d+) failing/gm) }
}
