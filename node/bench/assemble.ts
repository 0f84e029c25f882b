/** What was measured as the data that is kept: one arm of one plan. */
import { digest } from '../digest.js'
import { packageVersion } from '../version.js'
import type { Arm } from './arms.js'
import { benchmarkVersion, type BenchmarkData } from './data.js'
import { figuresOf } from './figures.js'
import type { BenchTask, MeasuredRun } from './measure.js'
import { ownTargetFigures, type OwnTargets } from './own-targets.js'
import { targetFigures } from './targets.js'

export interface Results {
  readonly task: BenchTask
  readonly arm: Arm
  readonly data: BenchmarkData
  readonly measured: readonly MeasuredRun[]
}

export interface About {
  /** ISO time. */
  readonly at: string
  readonly simulated: string | undefined
  /** Of the plan itself, beside the mission's. */
  readonly targets?: OwnTargets | undefined
}

/** By plan and arm, in the order of `tasks` and `arms`; what never ran is left out. */
export function assemble(
  measured: readonly MeasuredRun[],
  tasks: readonly BenchTask[],
  arms: readonly Arm[],
  about: About,
): Results[] {
  return tasks.flatMap((task) =>
    arms.flatMap((arm) => {
      const own = measured.filter((one) => one.task === task && one.arm === arm)
      return own.length === 0 ? [] : [{ task, arm, measured: own, data: dataOf(own, task, arm, about) }]
    }),
  )
}

function dataOf(
  measured: readonly MeasuredRun[],
  task: BenchTask,
  { name, settings }: Arm,
  { at, simulated, targets }: About,
): BenchmarkData {
  const runs = measured.map(({ run }) => run)
  const { taskId = '', description = '' } = measured[0]?.report ?? {}
  return {
    kind: 'aetherflow.benchmark',
    version: benchmarkVersion,
    aetherflow: packageVersion(),
    node: process.versions.node,
    at,
    simulated: simulated ?? null,
    plan: { name: task.name, taskId, description, digest: digest([task.plan]) },
    arm: name,
    settings,
    runs,
    figures: figuresOf(runs),
    targets: [...ownTargetFigures(targets ?? {}, runs), ...targetFigures(runs)],
  }
}
