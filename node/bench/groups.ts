/** Calls and steps of all runs by what they have in common: provider, type, step. */
import type { BenchCall, BenchRun, BenchStep } from './data.js'
import { firstTries, percentiles, type Percentiles } from './figures.js'

export interface CallGroup {
  readonly name: string
  readonly calls: number
  readonly succeeded: number
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number }
  readonly costMicroUsd: number
  /** Sum of their response times. */
  readonly workMs: number
  readonly firstToken: Percentiles | undefined
  readonly response: Percentiles | undefined
}

export interface StepGroup extends CallGroup {
  /** Attempted in all runs. */
  readonly steps: number
  readonly done: number
  readonly tried: number
  readonly firstTry: number
  readonly took: Percentiles | undefined
  /** Mean estimate; undefined: none was made. */
  readonly expectedMs: number | undefined
}

function grouped<Item>(items: readonly Item[], nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item))
    if (group === undefined) groups.set(nameOf(item), [item])
    else group.push(item)
  }
  return groups
}

function callGroup(name: string, calls: readonly BenchCall[]): CallGroup {
  const sum = (of: (call: BenchCall) => number): number => calls.reduce((total, call) => total + of(call), 0)
  return {
    name,
    calls: calls.length,
    succeeded: calls.filter(({ outcome }) => outcome === 'ok').length,
    tokens: {
      input: sum(({ tokens }) => tokens.input),
      cached: sum(({ tokens }) => tokens.cached),
      output: sum(({ tokens }) => tokens.output),
    },
    costMicroUsd: sum(({ costMicroUsd }) => costMicroUsd),
    workMs: sum(({ responseMs }) => responseMs ?? 0),
    firstToken: percentiles(calls.map(({ firstTokenMs }) => firstTokenMs)),
    response: percentiles(calls.map(({ responseMs }) => responseMs)),
  }
}

const stepsOf = (runs: readonly BenchRun[]): BenchStep[] => runs.flatMap(({ steps }) => steps)

export const byProvider = (runs: readonly BenchRun[]): CallGroup[] =>
  [
    ...grouped(
      stepsOf(runs).flatMap(({ calls }) => calls),
      ({ provider }) => provider,
    ),
  ].map(([name, calls]) => callGroup(name, calls))

export function bySteps(runs: readonly BenchRun[], nameOf: (step: BenchStep) => string): StepGroup[] {
  return [...grouped(stepsOf(runs), nameOf)].map(([name, steps]) => {
    const { tried, passed } = firstTries(steps)
    const expected = steps.map(({ expectedMs }) => expectedMs).filter((ms) => ms !== null)
    return {
      ...callGroup(
        name,
        steps.flatMap(({ calls }) => calls),
      ),
      steps: steps.length,
      done: steps.filter(({ state }) => state === 'done').length,
      tried: tried.length,
      firstTry: passed,
      took: percentiles(steps.map(({ tookMs }) => tookMs)),
      expectedMs: expected.length === 0 ? undefined : expected.reduce((sum, ms) => sum + ms, 0) / expected.length,
    }
  })
}
