// `npm run test:schedules [-- COUNT]`: 100,000 seeded schedules of several runs over one authority, natively. No limit is exceeded,
// nobody starves, and each run replays alone to the same bytes. `npm test` plays some thousands of them.
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, run, stage, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  const count = Number(process.argv[2] ?? 100_000)
  if (!Number.isSafeInteger(count) || count < 1) throw new Stop('say how many schedules: a whole number above 0')
  let found
  await stage('set-up', async () => void (found = await setup('test')))
  await stage('native build', async () => {
    await configure('native', found)
    await buildTargets('native', found, ['aetherflow_tests'])
  })
  const env = { AETHERFLOW_SCHEDULES: String(count) }
  const { code } = await run(at('build/native/tests/aetherflow_tests'), ['--gtest_filter=SharedRuns.*'], {
    env,
    show: true,
  })
  return code
})
