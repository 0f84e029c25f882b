// `npm start`: sets up, builds, and runs the example plan against the simulator. Further arguments go to `aetherflow run`.
import { spawn } from 'node:child_process'
import { build } from './build.mjs'
import { at, root } from './lib/paths.mjs'
import { main } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  await build(await setup('start'))
  const plan = 'examples/plans/five-files.json'
  const args = ['run', plan, '--simulate', ...process.argv.slice(2)]
  // Ctrl-C reaches the child by itself; this process only has to outlive it, to pass its exit code on.
  process.on('SIGINT', () => {})
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [at('dist/node/cli/main.js'), ...args], { cwd: root, stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 130))
  })
})
