// `npm run playground`: sets up, builds, and hands the playground out on this machine. Further arguments go to `aetherflow playground`.
import { spawn } from 'node:child_process'
import { build } from './build.mjs'
import { at, root } from './lib/paths.mjs'
import { main } from './lib/run.mjs'
import { setup } from './setup.mjs'

await main(async () => {
  await build(await setup('start'))
  const args = [at('dist/node/cli/main.js'), 'playground', ...process.argv.slice(2)]
  // Ctrl-C reaches the child by itself; this process only has to outlive it, to pass its exit code on.
  process.on('SIGINT', () => {})
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 130))
  })
})
