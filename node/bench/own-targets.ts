/** Targets of a plan: bounds of figures by their names, such as `{"makespanMs": 60000, "successRate": 1}`. */
import { readFile } from 'node:fs/promises'
import { AetherflowError } from '../../bindings/errors.js'
import { plural } from '../../web/standard/format.js'
import { errorCode } from '../error-code.js'
import type { BenchRun, TargetFigure } from './data.js'
import { figures } from './figures.js'
import { median } from './statistics.js'

export type OwnTargets = Readonly<Record<string, number>>

/** Fails: host.usage for a file that holds anything else. */
export async function readTargets(path: string): Promise<OwnTargets> {
  const fail = (detail: string): AetherflowError => new AetherflowError('host.usage', path, detail)
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw fail(error instanceof SyntaxError ? 'is not valid JSON' : `cannot be read: ${errorCode(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail('expected an object')
  for (const [name, bound] of Object.entries(value)) {
    if (!figures.some((one) => one.name === name))
      throw fail(`no figure '${name}'; there are ${figures.map((one) => one.name).join(', ')}`)
    if (typeof bound !== 'number' || !(bound >= 0)) throw fail(`'${name}' must be a number from 0`)
  }
  return value as OwnTargets
}

/** The median run must reach each. */
export function ownTargetFigures(targets: OwnTargets, runs: readonly BenchRun[]): TargetFigure[] {
  return figures.flatMap(({ name, words, better, format, of }): TargetFigure[] => {
    const bound = Object.hasOwn(targets, name) ? targets[name] : undefined
    if (bound === undefined) return []
    const head = {
      name: `plan.${name}`,
      target: `${words} ${better === 'less' ? '≤' : '≥'} ${format(bound)} (the plan’s)`,
    }
    const known = runs.map(of).filter((value) => value !== null)
    if (known.length === 0) return [{ ...head, verdict: 'not exercised', figure: '', because: 'no run measured it' }]
    const middle = median(known)
    const met = better === 'less' ? middle <= bound : middle >= bound
    const because = `median of ${plural(known.length, 'run')}`
    return [{ ...head, verdict: met ? 'met' : 'missed', figure: format(middle), because }]
  })
}
