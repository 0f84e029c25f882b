/** What a step says of its answer as a file and of its check. A plan is untrusted: everything is read here, once, with its place. */
import { AetherflowError } from '../../bindings/errors.js'
import type { StepInfo } from '../../bindings/events.js'
import { isInside, isSecret } from './staging.js'

export interface TestsSpec {
  /** Files, folders and patterns, as in `context.files`. */
  readonly files: readonly string[]
  readonly command: readonly string[] | undefined
  readonly repeats: number | undefined
}

export interface CheckSpec {
  /** Off only where a step says so. */
  readonly syntax: boolean
  readonly command: readonly string[] | undefined
  readonly tests: TestsSpec | undefined
  /** Items to be answered with yes. */
  readonly rubric: readonly string[]
  /** More files for the box. */
  readonly files: readonly string[]
}

export interface Placing {
  /** Where its answer belongs in the project; undefined: nowhere. */
  readonly target: string | undefined
  /** What its answer is called by: its target, else its output's own name. */
  readonly path: string | undefined
  readonly edit: 'whole' | 'blocks'
  readonly check: CheckSpec
}

const most = { items: 100, characters: 4000, repeats: 10 }

/** Names that a plan must not write: what tools run by themselves, what is hidden, what holds keys. */
export function isRefusedTarget(path: string): string | undefined {
  if (!isInside(path) || /^[A-Za-z]:/.test(path)) return 'a path inside the project, with / and without ..'
  const parts = path.split('/')
  if (parts.some((part) => part.startsWith('.'))) return 'no hidden file or folder'
  if (parts.includes('node_modules')) return 'no file of node_modules'
  if (isSecret(path) || parts.at(-1) === 'aetherflow.config.json') return 'no configuration and no file of keys'
  return undefined
}

class Reader {
  readonly #step: number

  constructor(step: number) {
    this.#step = step
  }

  fail(where: string, detail: string): never {
    throw new AetherflowError('check.invalid', `/steps/${this.#step}${where}`, detail)
  }
  text(value: unknown, where: string): string {
    if (typeof value === 'string' && value !== '' && value.length <= most.characters && !value.includes('\0'))
      return value
    return this.fail(where, 'expected a text that is not empty')
  }
  list(value: unknown, where: string): readonly string[] {
    if (!Array.isArray(value) || value.length === 0 || value.length > most.items)
      return this.fail(where, `expected a list of 1 to ${most.items} texts`)
    return value.map((item, index) => this.text(item, `${where}/${index}`))
  }
  object(value: unknown, where: string, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.fail(where, 'expected an object')
    for (const key of Object.keys(value))
      if (!known.includes(key)) this.fail(`${where}/${key}`, `unknown: one of ${known.join(', ')}`)
    return value as Record<string, unknown>
  }
}

function testsOf(read: Reader, value: unknown): TestsSpec {
  const where = '/check/tests'
  const { files, command, repeats } = read.object(value, where, ['files', 'command', 'repeats'])
  if (repeats !== undefined && !(Number.isInteger(repeats) && Number(repeats) >= 1 && Number(repeats) <= most.repeats))
    read.fail(`${where}/repeats`, `expected a whole number from 1 to ${most.repeats}`)
  return {
    files: read.list(files, `${where}/files`),
    command: command === undefined ? undefined : read.list(command, `${where}/command`),
    repeats: repeats as number | undefined,
  }
}

function checkOf(read: Reader, value: unknown): CheckSpec {
  const usual = { syntax: true, command: undefined, tests: undefined, rubric: [], files: [] }
  if (value === undefined || value === 'syntax') return usual
  if (value === 'off') return { ...usual, syntax: false }
  if (typeof value === 'string') return read.fail('/check', 'expected "syntax", "off" or an object')
  const { syntax, command, tests, rubric, files } = read.object(value, '/check', [
    ...['syntax', 'command', 'tests', 'rubric', 'files'],
  ])
  if (syntax !== undefined && typeof syntax !== 'boolean') read.fail('/check/syntax', 'expected true or false')
  return {
    syntax: syntax !== false,
    command: command === undefined ? undefined : read.list(command, '/check/command'),
    tests: tests === undefined ? undefined : testsOf(read, tests),
    rubric: rubric === undefined ? [] : read.list(rubric, '/check/rubric'),
    files: files === undefined ? [] : read.list(files, '/check/files'),
  }
}

/** Fails: check.invalid with the place in the plan. */
export function placingOf({ step, placing, outputFile }: StepInfo): Placing {
  const read = new Reader(step)
  const target = placing?.target === undefined ? undefined : read.text(placing.target, '/target')
  const refused = target === undefined ? undefined : isRefusedTarget(target)
  if (refused !== undefined) read.fail('/target', `expected ${refused}`)
  const edit = placing?.edit ?? 'whole'
  if (edit !== 'whole' && edit !== 'blocks') return read.fail('/edit', 'expected "whole" or "blocks"')
  if (edit === 'blocks' && target === undefined) read.fail('/edit', 'blocks change a file: say target')
  const check = checkOf(read, placing?.check)
  const path = target ?? outputFile
  if (check.tests !== undefined && path === undefined)
    read.fail('/check/tests', 'tests need the file that the answer becomes: say target or output_file')
  return { target, path, edit, check }
}
