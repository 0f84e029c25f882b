/** Tests of a plan in a box: a command of its own, or Node's and Python's usual ones. What passes once only is flaky, and fails. */
import { randomBytes } from 'node:crypto'
import { AetherflowError } from '../../bindings/errors.js'
import type { Box, BoxFile, BoxJob, BoxKind, BoxLimits, BoxResult, Stopped } from './box.js'
import { mutantsOf } from './mutants.js'
import { countsOf } from './test-counts.js'

export interface TestJob {
  /** Everything that goes into the box, the tests among it. */
  readonly files: readonly BoxFile[]
  /** Paths of the test files; all of one language when there is no command. */
  readonly tests: readonly string[]
  /** Program and arguments; default: by the end of the tests' names. */
  readonly command?: readonly string[] | undefined
  /** Runs that must all pass; default 3. */
  readonly repeats?: number | undefined
  readonly limits?: Partial<BoxLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface TestOutcome {
  readonly pass: boolean
  /** Of the worst run; undefined: the output does not say. */
  readonly passed: number | undefined
  readonly total: number | undefined
  readonly runs: number
  /** It passed, and then it did not. */
  readonly flaky: boolean
  readonly exit: number | undefined
  readonly stopped: Stopped | undefined
  /** Why it failed, in few words; empty: it passed. */
  readonly why: string
  /** The last lines of output of the run that decided. */
  readonly output: string
  readonly ms: number
  readonly box: BoxKind
}

const stoppedWords: Readonly<Record<Stopped, string>> = {
  time: 'stopped: it took too long',
  memory: 'stopped: it took too much memory',
  processes: 'stopped: it started too many processes',
  output: 'stopped: it wrote too much',
  cancelled: 'stopped: the run was cancelled',
}
const keptLines = 20

/** The last 20 lines, each at most 300 characters. */
export function lastLines(output: string): string {
  const lines = output.replace(/\s+$/, '').split('\n')
  return lines
    .slice(-keptLines)
    .map((line) => (line.length > 300 ? `${line.slice(0, 300)}…` : line))
    .join('\n')
}

/** Why a program did not pass; empty: it did. */
export const resultWords = ({ exit, stopped }: BoxResult): string =>
  stopped === undefined ? (exit === 0 ? '' : `exit code ${exit}`) : stoppedWords[stopped]

/** A program that starts test files in one process, and tells when all of them came to their end: `process.exit` is no success. */
const runnerPath = '.aetherflow-tests.mjs'
const runner = `import { pathToFileURL } from 'node:url'
const [mark, ...files] = process.argv.splice(2)
process.once('beforeExit', () => console.log('\\n' + mark))
for (const file of files) await import(pathToFileURL(file).href)
`

interface Way {
  readonly command: readonly string[]
  readonly files: readonly BoxFile[]
  /** Stands alone in a line of the output of a run that came to its end. */
  readonly mark: string | undefined
}

/** Fails: check.invalid where no usual command is known. */
function wayOf({ tests, command, files }: TestJob): Way {
  if (command !== undefined) return { command, files, mark: undefined }
  const all = (ends: RegExp): boolean => tests.length > 0 && tests.every((path) => ends.test(path))
  if (all(/\.[mc]?js$/)) {
    const mark = `aetherflow-${randomBytes(12).toString('hex')}`
    const start = ['node', '--test-reporter=spec', runnerPath, mark, ...tests]
    return { command: start, files: [...files, { path: runnerPath, text: runner }], mark }
  }
  if (all(/\.py$/)) {
    const isPytest = files.some(({ path, text }) => tests.includes(path) && String(text).includes('import pytest'))
    const start = isPytest ? ['-m', 'pytest', '-q', '-p', 'no:cacheprovider'] : ['-m', 'unittest', '-v']
    return { command: ['python3', ...start, ...tests], files, mark: undefined }
  }
  const where = tests[0] ?? 'tests'
  throw new AetherflowError('check.invalid', where, 'no usual way to run these tests: say command')
}

/** Fails: check.invalid, and what Box.run fails with. */
export async function runTests(box: Box, job: TestJob): Promise<TestOutcome> {
  const way = wayOf(job)
  const { limits, signal, repeats = 3 } = job
  const started: BoxJob = { files: way.files, command: way.command, limits, signal }
  let ms = 0
  for (let runs = 1; ; ++runs) {
    const result = await box.run(started)
    ms += result.ms
    const output = way.mark === undefined ? result.output : result.output.replaceAll(way.mark, '').replace(/\n+$/, '\n')
    const counts = countsOf(output)
    let why = resultWords(result)
    if (why === '' && way.mark !== undefined && !result.output.includes(`\n${way.mark}\n`))
      why = 'the tests did not run to their end: the program ended itself'
    if (why === '' && counts !== undefined && counts.total === 0) why = 'there was no test'
    const pass = why === ''
    if (pass && runs < repeats) continue
    const told = { passed: counts?.passed, total: counts?.total, exit: result.exit, stopped: result.stopped }
    const flaky = !pass && runs > 1
    if (flaky) why = `flaky: it passed ${runs - 1} times, then ${why}`
    return { pass, ...told, runs, flaky, why, output: lastLines(output), ms, box: box.kind }
  }
}

/**
 * Whether the tests pass without the answer too, an empty file in its place, or with every small change that was made to it: such
 * tests say nothing. `answer`: its path among the files.
 */
export async function testsAreWeak(box: Box, job: TestJob, answer: string): Promise<boolean> {
  const passes = async (text: string): Promise<boolean> => {
    const files = job.files.map((file) => (file.path === answer ? { ...file, text } : file))
    return (await runTests(box, { ...job, files, repeats: 1 })).pass
  }
  if (await passes('')) return true
  const code = job.files.find(({ path }) => path === answer)?.text
  const mutants = await mutantsOf(answer, typeof code === 'string' ? code : new TextDecoder().decode(code))
  for (const mutant of mutants) if (!(await passes(mutant))) return false
  return mutants.length > 0
}
