/**
 * What contract suites use of a test library, in a page: `describe`, `test`, `expect().toBe`, `expect().toEqual`. The page server
 * gives this file to anyone who imports `@jest/globals`; `window.runSuite()` then runs what was defined, one test after the other.
 */
export interface SuiteResult {
  readonly name: string
  /** Absent: it passed. */
  readonly fault?: string
}
declare global {
  var runSuite: () => Promise<SuiteResult[]>
}

const tests: { readonly name: string; readonly body: () => unknown }[] = []
const groups: string[] = []

export function describe(name: string, body: () => void): void {
  groups.push(name)
  body()
  groups.pop()
}

export function test(name: string, body: () => unknown): void {
  tests.push({ name: [...groups, name].join(' › '), body })
}

export function expect(actual: unknown) {
  return {
    toBe: (expected: unknown): void => mustHold(Object.is(actual, expected), actual, expected),
    toEqual: (expected: unknown): void => mustHold(equal(actual, expected), actual, expected),
  }
}

globalThis.runSuite = async () => {
  const results: SuiteResult[] = []
  for (const { name, body } of tests) {
    try {
      await body()
      results.push({ name })
    } catch (error) {
      results.push({ name, fault: error instanceof Error ? error.message : String(error) })
    }
  }
  return results
}

function mustHold(holds: boolean, actual: unknown, expected: unknown): void {
  if (!holds) throw new Error(`expected ${inWords(expected)}, received ${inWords(actual)}`)
}

const inWords = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 2000)

/** By value; members that are undefined do not count, as with Jest. */
function equal(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  if (one instanceof Map || one instanceof Set) return equal([...one], [...(other as typeof one)])
  if (ArrayBuffer.isView(one)) return equal([...bytesOf(one)], [...bytesOf(other as ArrayBufferView)])
  if (Array.isArray(one) && one.length !== (other as unknown[]).length) return false
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return [...names].every((name) => equal((one as Named)[name], (other as Named)[name]))
}

type Named = Readonly<Record<string, unknown>>
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
