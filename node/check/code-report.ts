/** What was found in a file of code. */

export interface CodeProblem {
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly what: string
  /** Of a shape: code is missing that was there, so that the file must not be replaced by it. */
  readonly leavesOut?: true
}

export interface CodeReport {
  readonly language: string
  /** Why it does not parse; empty: it does. */
  readonly syntax: readonly CodeProblem[]
  /** What a linter would call an error; empty where it does not parse, undefined where the language has no rules. */
  readonly lint: readonly CodeProblem[] | undefined
  /** Places where the answer leaves something out, or holds what is no code. */
  readonly shape: readonly CodeProblem[]
  readonly lines: number
}
