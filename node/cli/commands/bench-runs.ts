/** `aetherflow bench PLAN` and `bench suite PLANS…`: runs plans, once per arm and repeat, and reports what that took. */
import { join } from 'node:path'
import { AetherflowError } from '../../../bindings/errors.js'
import { formatUsd, oneLine, plural, simulatedLabel } from '../../../web/standard/format.js'
import { armOfFlag, type Arm } from '../../bench/arms.js'
import { assemble, type Results } from '../../bench/assemble.js'
import { compare } from '../../bench/comparison.js'
import { verdictLine } from '../../bench/comparison-blocks.js'
import { figureWords } from '../../bench/benchmark-blocks.js'
import { figures } from '../../bench/figures.js'
import { measure, type BenchTask, type Judge, type RealRun } from '../../bench/measure.js'
import { readTargets } from '../../bench/own-targets.js'
import { armFolder, writeBenchmark, writeComparison } from '../../bench/result-files.js'
import { withDrafts } from '../../drafts/store.js'
import { runPlan } from '../../index.js'
import { RunEntry } from '../../ledger/ledger.js'
import { OutputFolder } from '../../run/outputs.js'
import { RunFolder } from '../../run/run-folder.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { userSpeeds } from '../measured-explanation.js'
import { documentsOf, type DocumentFlags } from '../docs-flags.js'
import { policyOf } from '../policy-flags.js'
import { profileOfFlag } from '../profile-flag.js'
import { asciiControls } from '../render/json.js'
import { wrapped } from '../terminal-text.js'
import { usualName } from '../run-place.js'
import { ownPlan } from './bench-sheet.js'
import type { SharedFlags } from './run.js'

export interface BenchRunFlags extends SharedFlags, DocumentFlags {
  readonly repeat?: number
  readonly output?: string
  readonly targets?: string
  readonly allowChecks?: true
  readonly json?: true
  readonly arm?: readonly string[]
  readonly baselineLabel?: string
  readonly optimizedLabel?: string
}

/** The fewest pairs that can show a difference. */
const usualRepeats = 6

export async function benchPlan(path: string, flags: BenchRunFlags, host: Host): Promise<ExitCode> {
  const task = await ownPlan(path, host)
  const arms = armsOf({ ...flags, arm: flags.arm ?? [] })
  if (arms.length > 1) throw new AetherflowError('host.usage', '--arm', 'several arms belong to `bench suite`')
  const bench = await measured([task], arms, flags, { repeats: flags.repeat ?? 1, name: task.name, single: true }, host)
  for (const one of bench.results) await writeBenchmark(bench.folder, one)
  return told(bench, flags, host, bench.results[0]?.data ?? {}, () =>
    bench.results.flatMap(({ data }) => figureLines(data)),
  )
}

export async function benchSuite(paths: readonly string[], flags: BenchRunFlags, host: Host): Promise<ExitCode> {
  const tasks: BenchTask[] = []
  for (const path of paths) tasks.push(differentName(await ownPlan(path, host), tasks))
  return suite(tasks, flags, host, { repeats: flags.repeat ?? usualRepeats, name: 'suite' })
}

/** Measures, compares and tells. */
export async function suite(
  tasks: readonly BenchTask[],
  flags: BenchRunFlags,
  host: Host,
  how: MeasuredHow,
): Promise<ExitCode> {
  const bench = await measured(tasks, armsOf(flags), flags, how, host)
  const { results, folder } = bench
  for (const one of results) await writeBenchmark(join(folder, armFolder(one.task.name, one.arm.name)), one)
  if (results.length === 0) return told(bench, flags, host, {}, () => [])
  const data = compare(results.map((one) => one.data))
  await writeComparison(folder, data, true)
  return told(bench, flags, host, data, () =>
    data.arms.length > 1
      ? data.arms.slice(1).map((arm) => verdictLine(arm, data.baseline))
      : results.map((one) => `${oneLine(one.task.name)}: ${figureLines(one.data).join(', ')}`),
  )
}

/** Two plans of one name would share a folder. */
function differentName(task: BenchTask, others: readonly BenchTask[]): BenchTask {
  const taken = new Set(others.map(({ name }) => name.toLowerCase()))
  let name = task.name
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${task.name.replace(/\.json$/, '')}-${n}.json`
  return { ...task, name }
}

/** Labels name the first and the second arm; one alone names the only one. */
function armsOf({ arm = [], baselineLabel, optimizedLabel }: BenchRunFlags): Arm[] {
  const arms = arm.map(armOfFlag)
  if (arms.length === 0) arms.push(armOfFlag(baselineLabel ?? optimizedLabel ?? 'default'))
  else {
    const labels = [baselineLabel, optimizedLabel]
    arms.splice(0, arms.length, ...arms.map((one, at) => ({ ...one, name: armOfFlag(labels[at] ?? one.name).name })))
  }
  const names = arms.map(({ name }) => name.toLowerCase())
  if (new Set(names).size < names.length) throw new AetherflowError('host.usage', '--arm', 'two arms have one name')
  return arms
}

interface Bench {
  readonly folder: string
  readonly results: readonly Results[]
  readonly simulated: string | undefined
}

interface MeasuredHow {
  readonly repeats: number
  /** Of the folder, when nobody named one. */
  readonly name: string
  readonly judge?: Judge
  /** One plan and one arm: no folders for them. */
  readonly single?: boolean
}

async function measured(
  tasks: readonly BenchTask[],
  arms: readonly Arm[],
  flags: BenchRunFlags,
  { repeats, name, judge, single = false }: MeasuredHow,
  host: Host,
): Promise<Bench> {
  const at = new Date()
  const targets = flags.targets === undefined ? undefined : await readTargets(flags.targets)
  const simulate = flags.simulate === undefined ? undefined : profileOfFlag(flags.simulate)
  const folder = flags.output ?? (await freshFolder(usualName(`bench-${name.replace(/\.json$/, '')}`, at)))
  const say = (line: string): void => void (flags.json ? undefined : host.stderr.write(`${line}\n`))
  let runs = 0
  const { mode, concurrency, draft, config: configFile, seed = 1 } = flags
  const all = await measure({
    ...{ tasks, arms, repeats, seed, simulate, configFile, policy: policyOf(flags), signal: host.signal },
    ...{ ...(mode === undefined ? {} : { mode }), ...(concurrency === undefined ? {} : { concurrency }) },
    ...(draft === undefined ? {} : { draft }),
    documents: documentsOf(flags),
    realRun: keepingRun(folder, { single, checks: flags.allowChecks ? { allow: true } : {} }, host),
    ...(judge && { judge }),
    speeds: simulate === undefined ? await userSpeeds(host.env) : [],
    onBegin: (count, expected) => {
      runs = count
      const cost = simulate === undefined ? `, about ${formatUsd(expected)} by the estimate` : ''
      say(`${plural(count, 'run')}${cost}${simulatedLabel(simulate?.name)}`)
    },
    onRun: (number, task, arm) => {
      if (simulate === undefined) say(`  run ${number} of ${runs}: ${oneLine(task.name)}, ${oneLine(arm.name)}`)
    },
  })
  const about = { at: at.toISOString(), simulated: simulate?.name, targets }
  return { folder, results: assemble(all, tasks, arms, about), simulated: simulate?.name }
}

async function freshFolder(name: string): Promise<string> {
  const taken = await RunFolder.takeFresh(name)
  await taken.leave()
  return taken.folder
}

/** Answers that were paid for are kept, in `run-N` below the folder of plan and arm. */
function keepingRun(
  folder: string,
  { single, checks }: { readonly single: boolean; readonly checks: { readonly allow?: true } },
  host: Host,
): RealRun {
  return async (plan, options, { task, arm, repeat }) => {
    const place = single ? folder : join(folder, armFolder(task.name, arm.name))
    const outputs = new OutputFolder(join(place, `run-${repeat + 1}`))
    await outputs.prepare()
    const entry = RunEntry.of(host.env, undefined)
    const problem = (words: string): void => void host.stderr.write(`warning ${oneLine(words)}\n`)
    return withDrafts(host.env, undefined, problem, async (draftPairs) => {
      const running = runPlan(new TextEncoder().encode(plan), {
        ...{ ...options, checks, draftPairs },
        onEvent: (event) => {
          if (event.type === 'steps') outputs.adopt(event.steps)
          entry?.event(event)
          options.onEvent?.(event)
        },
        deliver: (step, text, again) => outputs.write(step, text, again),
        rejected: (step, text, why) => outputs.reject(step, text, why),
      })
      return (await entry?.during(running, (error) => problem(`ledger: ${String(error)}`))) ?? running
    })
  }
}

function figureLines({ figures: own }: Results['data']): string[] {
  return ['makespanMs', 'costMicroUsd', 'successRate', 'firstTrySuccess', 'firstTokenMs'].flatMap((name) => {
    const figure = figures.find((one) => one.name === name)
    const value = Object.hasOwn(own, name) ? own[name] : undefined
    return figure === undefined || value === undefined ? [] : [`${figure.words} ${figureWords(value, figure.format)}`]
  })
}

function told(
  { folder, results, simulated }: Bench,
  flags: BenchRunFlags,
  host: Host,
  data: object,
  lines: () => readonly string[],
): ExitCode {
  if (flags.json) host.stdout.write(`${asciiControls(JSON.stringify({ folder, ...data }))}\n`)
  else {
    const runs = results.reduce((sum, one) => sum + one.data.runs.length, 0)
    const head = `${plural(runs, 'run')} measured${simulatedLabel(simulated)}`
    const all = [head, ...lines().map((line) => `  ${line}`), `  reports in ${oneLine(folder)}`]
    const columns = host.stdout.columns ?? Infinity
    host.stdout.write(`${all.flatMap((line) => wrapped(line, columns)).join('\n')}\n`)
  }
  return host.signal.aborted ? exitCodes.interrupted : exitCodes.ok
}
