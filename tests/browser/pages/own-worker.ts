/** A worker of a page's own that uses the library: in its thread, and in a worker below it. */
const address: string = '/package/browser/index.js'
const api = (await import(address)) as typeof import('../../../web/browser/index.js')
const plan = {
  task_id: 'one',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'say hello', dependencies: [] }],
}
const results: unknown[] = []
for (const worker of [false, true]) {
  const { outcome, thread } = await api.runPlan(plan, { simulate: 'instant', worker })
  results.push([outcome, thread])
}
;(globalThis as unknown as { postMessage(message: unknown): void }).postMessage(results)
