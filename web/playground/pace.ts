/**
 * One clock for the page. A simulated run is played faster than its profile claims; what is shown is the profile's own time, so that it
 * can be compared with the estimate, whatever the speed.
 */
import type { RunEvent, RunReport } from '../../bindings/events.js'
import type { PolicyConfig } from '../browser/index.js'
import { decidingCall } from '../standard/report/policy.js'
import { simulatorProfiles } from '../standard/simulator/profiles.js'

/** The simulator's own speed that plays a profile `speed` times as fast as it claims. */
export function simulateSpeed(profile: string, speed: number): number {
  const known = Object.hasOwn(simulatorProfiles, profile)
  return speed * (known ? simulatorProfiles[profile as keyof typeof simulatorProfiles].timeScale : 1)
}

/** `pace`: how many ms of the profile are played in one ms. */
export function pacedEvent<E extends RunEvent>(event: E, pace: number): E {
  return pace === 1 ? event : { ...event, at: event.at * pace }
}

/**
 * Back-off and rests of providers, which the run's host keeps by its own clock, as short as the run is fast: else a wait of half a second
 * would be shown as one of many. Defaults as those of the core.
 */
export function pacedPolicy({ retry, breaker }: PolicyConfig, pace: number): PolicyConfig {
  const ms = (value: number): number => Math.max(1, Math.round(value / pace))
  return {
    retry: { ...retry, baseMs: ms(retry?.baseMs ?? 500), capMs: ms(retry?.capMs ?? 8000) },
    breaker: { ...breaker, openMs: ms(breaker?.openMs ?? 10_000), maxOpenMs: ms(breaker?.maxOpenMs ?? 60_000) },
  }
}

/** The report in the profile's own time. Targets are promises in that time: who missed them is told anew. */
export function pacedReport(report: RunReport, pace: number): RunReport {
  if (pace === 1) return report
  const { targets, ...rest } = report
  const paced = scaled(rest, pace, false) as RunReport
  return {
    ...paced,
    targets: targets.map((target) => {
      const measured = paced.steps.flatMap((step) => {
        const ms = decidingCall(step)?.[`${target.metric}Ms`] ?? null
        return ms === null ? [] : [{ id: step.id, ms }]
      })
      const missed = measured.filter(({ ms }) => ms > target.targetMs)
      return { ...target, missedBy: missed.sort((one, other) => other.ms - one.ms) }
    }),
  }
}

/** Members that are times: numbers, or spreads of them with the number of their samples. */
const times = /Ms$|At$/

function scaled(value: unknown, pace: number, time: boolean): unknown {
  if (typeof value === 'number') return time ? value * pace : value
  if (Array.isArray(value)) return value.map((each) => scaled(each, pace, time))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, each]) => {
    const isTime = time ? name !== 'count' : times.test(name)
    return [name, scaled(each, pace, isTime)] as const
  })
  return Object.fromEntries(members)
}
