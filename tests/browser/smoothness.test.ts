/** A page draws on while a plan of 1,000 steps runs: printed, not asserted, as another machine is another figure. */
import { afterAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'

const count = 1000
const plan = {
  task_id: 'thousand',
  description: 'd',
  // Ten strands with an edge to the neighbour now and then.
  steps: Array.from({ length: count }, (_, n) => ({
    id: `s${n}`,
    type: 'analysis',
    description: `part ${n}`,
    estimated_tokens: 30,
    dependencies: [n - 10, ...(n % 7 === 0 ? [n - 9] : [])].filter((at) => at >= 0).map((at) => `s${at}`),
  })),
}

describeInBrowser('a run of a thousand steps', () => {
  let server: PageServer | undefined
  afterAll(() => server?.close())

  test.each([true, false] as const)(
    'longest task of the page, worker: %s',
    async (worker) => {
      server ??= await PageServer.start()
      const { page, context } = await openPage(server.page('api'))
      const told = await page.evaluate(
        async ([plan, worker]) => {
          await api.runPlan({ ...plan, steps: plan.steps.slice(0, 1) }, { simulate: 'instant', worker })
          const tasks: number[] = []
          const watch = new PerformanceObserver((list) =>
            tasks.push(...list.getEntries().map(({ duration }) => duration)),
          )
          watch.observe({ type: 'longtask' })
          const gaps: number[] = []
          let last = performance.now()
          let drawing = true
          const frame = (): void => {
            const now = performance.now()
            gaps.push(now - last)
            last = now
            if (drawing) requestAnimationFrame(frame)
          }
          requestAnimationFrame(frame)
          let events = 0
          const begun = performance.now()
          const { outcome, report } = await api.runPlan(plan, {
            simulate: 'instant',
            worker,
            onEvent: () => void events++,
          })
          const ms = performance.now() - begun
          drawing = false
          // The observer is told in a task of its own.
          await new Promise((resolve) => setTimeout(resolve, 100))
          watch.disconnect()
          gaps.sort((a, b) => a - b)
          const p95 = gaps[Math.floor(gaps.length * 0.95)] ?? 0
          return {
            outcome,
            done: report.counts.done,
            events,
            ms,
            longest: Math.max(0, ...tasks),
            tasks: tasks.length,
            frames: gaps.length,
            p95,
            worst: gaps.at(-1) ?? 0,
          }
        },
        [plan, worker] as const,
      )
      await context.close()
      expect(told).toMatchObject({ outcome: 'ok', done: count })
      expect(told.events).toBeGreaterThan(5 * count)
      const { ms, events, longest, tasks, frames, p95, worst } = told
      const round = (value: number): string => value.toFixed(0)
      process.stdout.write(
        `1,000 steps, ${worker ? 'worker' : 'page`s thread'}: ${round(ms)} ms, ${events} events, ${tasks} tasks over 50 ms, ` +
          `longest ${round(longest)} ms; ${frames} frames, 95 of 100 within ${round(p95)} ms, worst ${round(worst)} ms\n`,
      )
    },
    60_000,
  )
})
