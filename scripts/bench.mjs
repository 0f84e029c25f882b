// `npm run bench [name …] [-- words …]`: builds and runs the benches, one after the other. Figures in documents come from here.
// The words after the names (`--quick`, a folder, …) go to the bench that is named, or to all that run under Node.
// Figures are kept in build/results/bench.json, or where `--result FILE` says; `--against FILE` compares them with an earlier such file.
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { build } from './build.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, must, mustNode, run, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Every bench by name. Native ones are CMake targets, the others run under Node. */
const benches = [
  { name: 'orchestration' },
  { name: 'plan-reading' },
  { name: 'workflows' },
  { name: 'psplib', native: true },
  { name: 'mission' },
  { name: 'calls' },
  { name: 'cache' },
  { name: 'cache-latency' },
  { name: 'cache-store' },
  { name: 'analysis' },
  { name: 'patterns' },
  { name: 'spread' },
  { name: 'cache_speed', native: true },
  { name: 'index' },
  { name: 'index_speed', native: true },
  { name: 'search-batches' },
  { name: 'assistant' },
  { name: 'page' },
  { name: 'embed-speed' },
  { name: 'serve' },
  { name: 'machines' },
]

await main(async () => {
  const words = process.argv.slice(2)
  const result = resolve(taken(words, '--result') ?? at('build/results/bench.json'))
  const against = taken(words, '--against')
  if (against !== undefined && !existsSync(against)) throw new Stop(`--against: there is no ${against}`)
  const known = (word) => benches.some((bench) => bench.name === word)
  const named = words.findIndex((word) => !known(word))
  const wanted = named < 0 ? words : words.slice(0, named)
  const passed = words.slice(wanted.length)
  if (wanted.length === 0 && passed.length > 0 && !passed[0].startsWith('--'))
    throw new Stop(`no bench ${passed[0]}; there are: ${benches.map((bench) => bench.name).join(', ')}`)
  const found = await setup('test')
  await build(found)
  mkdirSync(dirname(result), { recursive: true })
  // The earlier result may be the file that this run writes.
  const earlier = against && `${result}.earlier`
  if (against !== undefined) copyFileSync(against, earlier)
  rmSync(result, { force: true })
  process.env.AETHERFLOW_BENCH_RESULT = result
  for (const bench of benches) {
    if (wanted.length > 0 && !wanted.includes(bench.name)) continue
    console.log(`\n== ${bench.name}`)
    if (bench.native) {
      await configure('native', found)
      await buildTargets('native', found, [bench.name])
      await must(at('build/native/tests', bench.name), wanted.length === 1 ? passed : [], { show: true })
    } else {
      const file = at('tests/bench', `${bench.name}.mjs`)
      if (!existsSync(file)) throw new Stop(`tests/bench/${bench.name}.mjs is missing`)
      await mustNode(['--expose-gc', file, ...passed], { show: true })
    }
  }
  if (against === undefined) return 0
  console.log('\n== against', against)
  const { code } = await run(process.execPath, [at('tests/bench/compare.mjs'), earlier, result], { show: true })
  return code
})

/** The word behind a flag, both taken out of the words. */
function taken(words, flag) {
  const place = words.indexOf(flag)
  if (place < 0) return undefined
  const [, word] = words.splice(place, 2)
  if (word === undefined || word.startsWith('--')) throw new Stop(`${flag} wants a file`)
  return word
}
