// Counts what a test runner really ran, from the report that it wrote. A runner that ran nothing has failed.
import { readJson } from './paths.mjs'

/**
 * Counts from GoogleTest's JSON report. `code` is the exit code: a crash leaves no report, or one that shows no failure,
 * and must still count.
 */
export function googleTestResult(file, code) {
  const cases = (readJson(file)?.testsuites ?? []).flatMap((suite) => suite.testsuite)
  const count = (wanted) => cases.filter(wanted).length
  const failed = count((test) => test.failures !== undefined)
  const skipped = count((test) => test.failures === undefined && test.result !== 'COMPLETED')
  return settle({ passed: cases.length - failed - skipped, failed, skipped }, code)
}

/** Counts from Jest's JSON report. A suite that could not even start counts as one failure. */
export function jestResult(file, code) {
  const report = readJson(file)
  return settle(
    {
      passed: report?.numPassedTests ?? 0,
      failed: (report?.numFailedTests ?? 0) + (report?.numRuntimeErrorTestSuites ?? 0),
      skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
    },
    code,
  )
}

function settle(result, code) {
  const wrong = code !== 0 || result.passed + result.failed === 0
  return wrong && result.failed === 0 ? { ...result, failed: 1 } : result
}
