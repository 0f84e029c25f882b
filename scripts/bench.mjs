// `npm run bench [name …] [-- --quick]`: builds and runs the benches, one after the other. Figures in documents come from
// here. What starts with `--`, and numbers, go to each bench.
import { existsSync } from 'node:fs'
import { build } from './build.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, must, mustNode, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Every bench by name. Native ones are CMake targets, the others run under Node. */
const benches = [
  { name: 'orchestration' },
  { name: 'plan-reading' },
  { name: 'workflows' },
  { name: 'psplib', native: true },
  { name: 'mission' },
]

await main(async () => {
  const words = process.argv.slice(2)
  const passed = words.filter((word) => word.startsWith('--') || /^\d+$/.test(word))
  const wanted = words.filter((word) => !passed.includes(word))
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
      await mustNode(['--expose-gc', file, ...passed], { show: true })
    }
  }
})
