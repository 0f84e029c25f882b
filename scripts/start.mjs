// `npm start`: sets up, builds, and runs the example plan against the simulator. Further arguments go to `aetherflow run`.
// Where nothing has changed since the last time it only runs it; where nothing was built yet it builds what that run needs.
import { pathToFileURL } from 'node:url'
import { isBuilt, rememberBuilt } from './lib/built.mjs'
import { at, root } from './lib/paths.mjs'
import { main } from './lib/run.mjs'

if (!isBuilt()) {
  await main(async () => {
    const { build, buildFirst, wasBuilt } = await import('./build.mjs')
    const { setup } = await import('./setup.mjs')
    const found = await setup('start')
    if (wasBuilt()) await build(found)
    else {
      await buildFirst(found)
      console.log('cache, documents, pages and types are left to `npm run build`')
    }
    rememberBuilt()
  })
}
// The command line itself, in this process: it ends it with its own exit code.
if (!process.exitCode) {
  process.chdir(root)
  const plan = 'examples/plans/five-files.json'
  const program = at('dist/node/cli/main.js')
  const args = ['run', plan, '--simulate', ...process.argv.slice(2)]
  process.argv = [process.argv[0], program, ...args]
  await import(pathToFileURL(program).href)
}
