// `npm run test:crash`: the whole crash matrix. A run is killed at each of its flushes, again at each while it recovers, its journal is
// damaged, its disk fills up; likewise the folder of a cache. Minutes; `npm test` runs a few of these.
import { build, compile } from './build.mjs'
import { linkOutputs } from './lib/jest.mjs'
import { at } from './lib/paths.mjs'
import { main, run, stage } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  let found
  await stage('set-up', async () => void (found = await setup('test')))
  await build(found)
  await stage('test typescript', () => compile(['tests']))
  linkOutputs()
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    at('node_modules/jest/bin/jest.js'),
    '--ci',
    'tests/crash',
    'tests/node/file-store-',
  ]
  const env = { NODE_OPTIONS: '', AETHERFLOW_CRASH: 'whole' }
  const { code } = await run(process.execPath, args, { env, show: true })
  return code
})
