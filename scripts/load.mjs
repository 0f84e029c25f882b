// `npm run test:load`: the server under load, longer than `npm test` has time for. 1,000 requests of three tenants, 1,000 streams that
// wait, 10,000 random bodies, waits that are given up. Memory over 100,000 requests: `npm run bench -- serve --soak`.
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
    'tests/serve/load',
    'tests/serve/slow',
    'tests/serve/hostile',
  ]
  const env = { NODE_OPTIONS: '', AETHERFLOW_LOAD: '1000' }
  const { code } = await run(process.execPath, args, { env, show: true })
  return code
})
