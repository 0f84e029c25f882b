/** `aetherflow bench quality`: exercises with hidden tests, which run on the answers in a box. */
import { plural } from '../../../web/standard/format.js'
import { codeOf, exercisePlan, judge, readExercises, selfCheck, type Exercise } from '../../bench/exercises.js'
import type { Judge } from '../../bench/measure.js'
import { openBox } from '../../check/box.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { suite, type BenchRunFlags } from './bench-runs.js'

export interface BenchQualityFlags extends BenchRunFlags {
  readonly language?: Exercise['language']
  readonly selfCheck?: true
}

/** Runs of the tests on an answer that must all pass. */
const testRuns = 2

/** Fails: check.no_box on a machine where no program can be kept apart; check.not_allowed without python3. */
export async function benchQuality(flags: BenchQualityFlags, host: Host): Promise<ExitCode> {
  const exercises = await readExercises(flags.language)
  const box = await openBox()
  if (!flags.json) host.stderr.write(`${plural(exercises.length, 'exercise')}; tests run in ${box.words}\n`)
  if (flags.selfCheck) return tellSelfCheck(await selfCheck(exercises, box), host)
  const task = { name: 'quality.json', plan: exercisePlan(exercises), files: {}, folder: '.' }
  const tests: Judge = async (_, outputs) => {
    const passed = new Map<string, boolean>()
    for (const exercise of exercises) {
      const answer = outputs.get(exercise.id)
      const pass = answer !== undefined && (await judge(box, exercise, codeOf(answer), testRuns, host.signal)).pass
      passed.set(exercise.id, pass)
    }
    return passed
  }
  return suite([task], flags, host, { repeats: flags.repeat ?? 1, name: 'quality', judge: tests })
}

function tellSelfCheck(checks: Awaited<ReturnType<typeof selfCheck>>, host: Host): ExitCode {
  for (const { exercise, good, why } of checks)
    host.stdout.write(`${good ? '✓' : '✗'} ${exercise}${good ? '' : `: ${why.join('; ')}`}\n`)
  return checks.every(({ good }) => good) ? exitCodes.ok : exitCodes.failed
}
