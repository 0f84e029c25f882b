// Tests of Jest in their long form, which `npm test` has no time for.
import { build, compile } from '../build.mjs'
import { setup } from '../setup.mjs'
import { linkOutputs } from './jest.mjs'
import { at } from './paths.mjs'
import { main, run, stage } from './run.mjs'

/** Sets up, builds, and runs the test files whose paths match, with `env` added. Ends the process with Jest's exit code. */
export const longTests = (patterns, env) =>
  main(async () => {
    let found
    await stage('set-up', async () => void (found = await setup('test')))
    await build(found)
    await stage('test typescript', () => compile(['tests']))
    linkOutputs()
    const jest = ['--experimental-vm-modules', '--no-warnings', at('node_modules/jest/bin/jest.js'), '--ci']
    const { code } = await run(process.execPath, [...jest, ...patterns], {
      env: { NODE_OPTIONS: '', ...env },
      show: true,
    })
    return code
  })
