/**
 * Checks the answers of a run: cheap before expensive, and nothing after a failure. What is only read needs no permission; programs
 * run where the user allows it, in a box, on a copy of the files that the step names.
 *
 *   blocks fit ─▶ parses ─▶ nothing left out ─▶ [ box: command ─▶ tests × repeats ─▶ do they fail without it? ] ─▶ verdict
 */
import type { AnswerChecker, CheckFound, CheckJob, CheckPart } from '../../bindings/checker.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { StepInfo } from '../../bindings/events.js'
import { filesOf, type FileReader } from '../../bindings/ports.js'
import { fileAfter, unfenced } from '../apply/answer.js'
import { digest } from '../digest.js'
import type { Box, BoxFile, BoxLimits } from './box.js'
import type { CodeProblem, CodeReport } from './code-report.js'
import { placingOf, type CheckSpec, type Placing } from './placing.js'
import { qualityOf } from './quality.js'
import { checkCode } from './syntax.js'
import { lastLines, resultWords, runTests, testsAreWeak } from './test-run.js'

/** What the user allows to be run. */
export interface AllowedChecks {
  readonly box: Box
  /** Programs that a plan may name. */
  readonly commands: readonly string[]
  readonly limits?: Partial<BoxLimits> | undefined
  /** Runs of tests that must all pass, where a plan does not say; default 3. */
  readonly repeats?: number | undefined
}

export interface CheckerOptions {
  /** The project: context files, tests, and what answers are to change. */
  readonly files: FileReader
  /** Absent: what would have to run is skipped, and said. */
  readonly allowed?: AllowedChecks | undefined
}

type Checked = CheckFound & { readonly issues: string }

const problemLines = (path: string, problems: readonly CodeProblem[]): string =>
  problems.map(({ line, column, what }) => `${path}:${line}:${column}: ${what}`).join('\n')

/** What one check has found so far. */
class Finding {
  readonly parts: CheckPart[] = []
  readonly shown: string[] = []
  issues = ''
  functional = false
  tests: number | undefined
  box: string | undefined
  readonly reports: CodeReport[] = []

  /** False: nothing further is to be done. */
  add(part: CheckPart, issues = part.why ?? ''): boolean {
    this.parts.push(part)
    if (part.outcome === 'fail') this.issues = issues
    return part.outcome !== 'fail'
  }

  get(): Checked {
    const { parts, functional, issues, shown, box } = this
    const quality = qualityOf(this.reports, this.tests)
    const pass = issues === '' && parts.every(({ outcome }) => outcome !== 'fail')
    const told = pass ? shown.join('\n') : issues
    return { pass, parts, functional, issues: told, ...(quality && { quality }), ...(box !== undefined && { box }) }
  }
}

export class ProjectChecker implements AnswerChecker {
  readonly #options: CheckerOptions

  constructor(options: CheckerOptions) {
    this.#options = options
  }

  /** Fails: check.invalid, check.not_allowed for a program that is not on the user's list. */
  accept(step: StepInfo): void {
    const { check } = placingOf(step)
    const { allowed } = this.#options
    if (allowed === undefined) return
    for (const [where, command] of [
      ['/check/command/0', check.command],
      ['/check/tests/command/0', check.tests?.command],
    ] as const) {
      const program = command?.[0]
      if (program === undefined || allowed.commands.includes(program)) continue
      const known = allowed.commands.join(', ')
      throw new AetherflowError(
        'check.not_allowed',
        `/steps/${step.step}${where}`,
        `'${program}' is not one of ${known}`,
      )
    }
  }

  /** The check, and the files that it runs on. */
  async scope(step: StepInfo): Promise<string | undefined> {
    const { check } = placingOf(step)
    if (this.#options.allowed === undefined || (check.tests === undefined && check.command === undefined))
      return undefined
    const named = await this.#named([...check.files, ...(check.tests?.files ?? [])])
    const texts = await Promise.all(named.map((path) => this.#present(path)))
    return digest([JSON.stringify(check), ...named, ...texts.map((text) => text ?? '')])
  }

  /** The files that entries of a plan mean, each once. */
  #named(entries: readonly string[]): Promise<readonly string[]> {
    return filesOf(this.#options.files, entries)
  }

  async check(job: CheckJob): Promise<Checked> {
    const finding = new Finding()
    const placing = placingOf(job.step)
    const { tests, command } = placing.check
    // Also where it never comes so far: what does not parse has not passed its tests.
    finding.functional = this.#options.allowed !== undefined && (tests ?? command) !== undefined
    const text = await this.#answerAsFile(job, placing, finding)
    if (text !== undefined && (await read(placing, text, finding))) {
      try {
        await this.#run(job, placing, text, finding)
      } catch (error) {
        // What the plan names and cannot be had fails its step, not the run.
        if (!(error instanceof AetherflowError)) throw error
        finding.add({ kind: 'command', outcome: 'fail', why: error.message })
      }
    }
    return finding.get()
  }

  /** undefined: its blocks do not fit. */
  async #answerAsFile(job: CheckJob, { path, edit }: Placing, finding: Finding): Promise<string | undefined> {
    if (path === undefined) return job.text
    if (edit === 'whole') return unfenced(path, job.text)
    const present = (await this.#earlierFiles(job)).get(path) ?? (await this.#present(path))
    const after = fileAfter(path, edit, present, job.text)
    if ('conflict' in after) {
      finding.add({ kind: 'edit', outcome: 'fail', why: firstLine(after.conflict) }, after.conflict)
      return undefined
    }
    finding.add({ kind: 'edit', outcome: 'pass' })
    return after.text
  }

  /** The text of a file of the project; undefined if there is none that may be read. */
  async #present(path: string): Promise<string | undefined> {
    try {
      return await this.#options.files.read(path)
    } catch (error) {
      if (error instanceof AetherflowError) return undefined
      throw error
    }
  }

  /** Files as the steps before this one change them. */
  async #earlierFiles({ earlier }: CheckJob): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    for (const [step, text] of earlier) {
      const { path, edit } = placingOf(step)
      if (path === undefined) continue
      const after = fileAfter(path, edit, files.get(path) ?? (await this.#present(path)), text)
      if ('text' in after) files.set(path, after.text)
    }
    return files
  }

  async #run(job: CheckJob, { check, path }: Placing, text: string, finding: Finding): Promise<void> {
    const { allowed } = this.#options
    if (check.rubric.length > 0) {
      const why = 'judged by the audit that follows'
      finding.add({ kind: 'rubric', outcome: 'skipped', total: check.rubric.length, why })
      finding.shown.push(`Answer each with yes or no; each no is an issue:\n- ${check.rubric.join('\n- ')}`)
    }
    if (check.command === undefined && check.tests === undefined) return
    if (allowed === undefined) {
      const why = 'programs of checks are not allowed'
      if (check.command !== undefined) finding.add({ kind: 'command', outcome: 'skipped', why })
      if (check.tests !== undefined) finding.add({ kind: 'tests', outcome: 'skipped', why })
      return
    }
    finding.box = allowed.box.kind
    const files = await this.#boxFiles(job, check, path, text)
    if (check.command !== undefined && !(await this.#command(allowed, check.command, files, job, finding))) return
    if (check.tests !== undefined && path !== undefined) await this.#tests(allowed, check, files, path, job, finding)
  }

  /** What the step names, what it stands on, and its answer; nothing else of the project. */
  async #boxFiles(job: CheckJob, check: CheckSpec, path: string | undefined, text: string): Promise<BoxFile[]> {
    const { files } = this.#options
    const tests = new Set(await this.#named(check.tests?.files ?? []))
    if (path !== undefined && tests.has(path))
      throw new AetherflowError('check.invalid', path, 'an answer cannot be one of its own tests')
    const all = new Map<string, string>()
    const manifest = await this.#present('package.json')
    if (manifest !== undefined) all.set('package.json', manifest)
    for (const one of await this.#named([...job.step.files, ...check.files, ...tests]))
      all.set(one, await files.read(one))
    for (const [one, after] of await this.#earlierFiles(job)) if (!tests.has(one)) all.set(one, after)
    if (path !== undefined) all.set(path, text)
    return [...all].map(([one, content]) => ({ path: one, text: content }))
  }

  async #command(
    { box, limits }: AllowedChecks,
    command: readonly string[],
    files: readonly BoxFile[],
    { signal }: CheckJob,
    finding: Finding,
  ): Promise<boolean> {
    const result = await box.run({ files, command, limits, signal })
    const why = resultWords(result)
    if (why === '') {
      finding.shown.push(`${command.join(' ')}: exit code 0`)
      return finding.add({ kind: 'command', outcome: 'pass' })
    }
    const words = `${command.join(' ')}: ${why}`
    return finding.add({ kind: 'command', outcome: 'fail', why: words }, `${words}\n${lastLines(result.output)}`)
  }

  async #tests(
    { box, limits, repeats }: AllowedChecks,
    { tests: spec }: CheckSpec,
    files: readonly BoxFile[],
    path: string,
    { signal }: CheckJob,
    finding: Finding,
  ): Promise<void> {
    const tests = await this.#named(spec?.files ?? [])
    const job = { files, tests, command: spec?.command, repeats: spec?.repeats ?? repeats, limits, signal }
    const outcome = await runTests(box, job)
    const counts = outcome.total === undefined ? {} : { passed: outcome.passed ?? 0, total: outcome.total }
    finding.tests = outcome.total ? (outcome.passed ?? 0) / outcome.total : Number(outcome.pass)
    const numbers = outcome.total === undefined ? '' : ` (${outcome.passed ?? 0} of ${outcome.total} passed)`
    if (!outcome.pass) {
      const words = `tests: ${outcome.why}${numbers}`
      finding.add({ kind: 'tests', outcome: 'fail', why: words, ...counts }, `${words}\n${outcome.output}`)
      return
    }
    const weak = !signal.aborted && (await testsAreWeak(box, job, path))
    finding.shown.push(`tests passed${numbers}${weak ? ', but pass with the answer removed or changed too' : ''}`)
    finding.add({ kind: 'tests', outcome: 'pass', ...counts, ...(weak && { weak: true as const }) })
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''

/** What can be told without running anything. */
async function read({ path, check, edit }: Placing, text: string, finding: Finding): Promise<boolean> {
  if (path === undefined || !check.syntax) return true
  const report = await checkCode(path, text)
  if (report === undefined) return true
  finding.reports.push(report)
  const syntax = problemLines(path, report.syntax)
  if (syntax !== '')
    return finding.add({ kind: 'syntax', outcome: 'fail', why: firstLine(syntax) }, `It does not parse:\n${syntax}`)
  finding.add({ kind: 'syntax', outcome: 'pass' })
  finding.shown.push(`${path} parses`)
  const lost = edit === 'whole' ? report.shape.filter(({ leavesOut }) => leavesOut === true) : []
  if (lost.length > 0) {
    const words = problemLines(path, lost)
    return finding.add({ kind: 'shape', outcome: 'fail', why: firstLine(words) }, `The answer is not whole:\n${words}`)
  }
  if (report.lint !== undefined && report.lint.length > 0)
    finding.shown.push(`A linter reports:\n${problemLines(path, report.lint)}`)
  return true
}
