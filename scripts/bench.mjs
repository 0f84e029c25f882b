// `npm run bench [name …]`: builds and runs the benches, one after the other. Figures in documents come from here.
import { existsSync } from 'node:fs'
import { build } from './build.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, must, mustNode, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Every bench by name. Native ones are CMake targets, the others run under Node. */
const benches = [{ name: 'psplib', native: true }]

await main(async () => {
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name))
  if (unknown.length > 0)
    throw new Stop(`no bench ${unknown.join(', ')}; there are: ${benches.map((b) => b.name).join(', ')}`)
  const found = await setup('test')
  await build(found)
  for (const bench of benches) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue
    console.log(`\n== ${bench.name}`)
    if (bench.native) {
      await configure('native', found)
      await buildTargets('native', found, [bench.name])
      await must(at('build/native/tests', bench.name), [], { show: true })
    } else {
      const file = at('tests/bench', `${bench.name}.mjs`)
      if (!existsSync(file)) throw new Stop(`tests/bench/${bench.name}.mjs is missing`)
      await mustNode(['--expose-gc', file], { show: true })
    }
  }
})
