/** What the suites use of a test library: Jest, Vitest or anything with these three. */
export interface TestLibrary {
  describe(name: string, body: () => void): unknown
  test(name: string, body: () => void | Promise<void>): unknown
  expect(actual: unknown): {
    /** Equal by `Object.is`. */
    toBe(expected: unknown): unknown
    /** Equal by value; members that are undefined do not count. */
    toEqual(expected: unknown): unknown
  }
}

let library: TestLibrary = globalThis as unknown as TestLibrary

/** For the suites that are defined from now on; undefined: the names that the test runner made global. */
export function setTestLibrary(given: TestLibrary | undefined): void {
  if (given !== undefined) library = given
}

export const describe: TestLibrary['describe'] = (name, body) => library.describe(name, body)
export const test: TestLibrary['test'] = (name, body) => library.test(name, body)
export const expect: TestLibrary['expect'] = (actual) => library.expect(actual)
