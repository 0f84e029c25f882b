// Ask what a plan would do before it costs anything: the same core on a virtual clock, no key and no call.
import { readFile } from 'node:fs/promises'
import { explainPlan } from '@aetherflow/aetherflow'

const plan = await readFile(new URL('plans/mission.json', import.meta.url), 'utf8')

for (const mode of ['build', 'fast', 'double-check']) {
  const { report, costMicroUsd, routes } = await explainPlan(plan, { mode, simulate: true })
  const seconds = (report.makespanMs / 1000).toFixed(1)
  const providers = [...new Set(routes.map(({ provider }) => provider))].join(', ')
  console.log(`${mode}: about ${seconds} s and $${(costMicroUsd.expected / 1e6).toFixed(4)} on ${providers}`)
}
