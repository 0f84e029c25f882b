/** What the contract suites use of the test library, for a page: cases by name, to be run one by one. */
export const cases = new Map<string, () => Promise<void> | void>()
let prefix = ''

export function describe(name: string, define: () => void): void {
  const before = prefix
  prefix = `${prefix}${name} › `
  define()
  prefix = before
}

export function test(name: string, run: () => Promise<void> | void): void {
  cases.set(prefix + name, run)
}

export function expect(value: unknown) {
  return {
    toBe(other: unknown): void {
      if (!Object.is(value, other)) throw new Error(`${shown(value)} is not ${shown(other)}`)
    },
    toEqual(other: unknown): void {
      const where = difference(value, other, '')
      if (where !== undefined) throw new Error(`${shown(value)} does not equal ${shown(other)}: at ${where || '/'}`)
    },
  }
}

/** Where two values differ first; members that are undefined count as absent. Kinds of objects must be the same. */
function difference(one: unknown, other: unknown, path: string): string | undefined {
  if (Object.is(one, other)) return undefined
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return path
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return path
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>]
  if (Array.isArray(one) && one.length !== (other as unknown[]).length) return `${path}/length`
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const found = difference(left[key], right[key], `${path}/${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
