/** Errors as a person gets them, and the exit codes they lead to. */
import { AetherflowError, type Fault } from '../../bindings/errors.js'
import { oneLine, visibleText } from '../../web/standard/format.js'
import { adviceOf } from './advice.js'
import { paint } from './colour.js'
import { exitCodes, type ExitCode, type Host } from './host.js'

const usageCodes = /^((json|plan|route|options)\..*|host\.(usage|config|journal|plan_changed))$/

/** 2 for a bad plan, option or configuration, 1 for everything else that went wrong. An interruption is no error: see the outcome. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof AetherflowError)) return exitCodes.failed
  return usageCodes.test(error.code) ? exitCodes.usage : exitCodes.failed
}

/** The error without its stack, as `--json` prints it in the last line. */
export function failureRecord(error: unknown): {
  type: 'error'
  code: string
  where: string
  detail: string
  advice: string
  /** What else is wrong with a plan. */
  others?: (Fault & { advice: string })[]
} {
  if (error instanceof AetherflowError) {
    const { code, where, detail, others } = error
    const more = others.map((other) => ({ ...other, advice: adviceOf(other.code) }))
    return { type: 'error', code, where, detail, advice: adviceOf(code), ...(more.length > 0 && { others: more }) }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { type: 'error', code: 'internal', where: '', detail, advice: 'please report this with the plan' }
}

/** Options of the library as this program's flags: an error names the option, a person gave the flag. */
const flags: Readonly<Record<string, string>> = {
  mode: '--mode',
  concurrency: '--concurrency',
  strip: '--no-strip',
  optimize: '--optimize',
  promptCache: '--prompt-cache',
  seed: '--seed',
  simulate: '--simulate',
  policy: 'the flags for limits and budgets',
  resume: '--resume',
  folder: '--files',
  tenant: '--tenant',
}

/** `error plan.cycle at /steps/3/dependencies/0: a → b → a`, and the advice below; of a plan all that is wrong. The stack only with AETHERFLOW_DEBUG=1. */
export function tellFailure(error: unknown, host: Host): void {
  const { code, where, detail, advice, others = [] } = failureRecord(error)
  const colours = paint(host.stderr, host.env)
  // Equal advice once, behind the last that it is for.
  const faults = [{ code, where, detail, advice }, ...others]
  for (const [index, fault] of faults.entries()) {
    const named = fault.code === 'host.usage' ? (flags[fault.where] ?? fault.where) : fault.where
    const place = named === '' ? '' : ` at ${oneLine(named)}`
    const words = fault.detail === '' ? '' : `: ${oneLine(fault.detail)}`
    host.stderr.write(`${colours.red('error')} ${fault.code}${place}${words}\n`)
    if (faults[index + 1]?.advice !== fault.advice) host.stderr.write(`  ${oneLine(fault.advice)}\n`)
  }
  if (host.env['AETHERFLOW_DEBUG'] === '1' && error instanceof Error)
    host.stderr.write(`${visibleText(error.stack ?? '')}\n`)
}
