// Fits the semantic cache again: embeds the development pairs, runs the native target cache_fit, and writes core/cache/models/*.txt and
// what is generated of them.
//   node tests/bench/cache-fit.mjs OUT [--modules DIR] [--fit PROGRAM]
// OUT and DIR: as in cache-embed.mjs. PROGRAM: cache_fit, built/native's unless said otherwise.
// Nothing is drawn but the fillings of cache-templates.txt, whose seed stands in lib/cache-groups.mjs: a second run writes the same files.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { at } from '../../scripts/lib/paths.mjs'

const words = process.argv.slice(2)
const after = (name) => (words.includes(name) ? words.splice(words.indexOf(name), 2)[1] : undefined)
const modules = after('--modules') ?? '.'
const fit = after('--fit') ?? at('build/native/tests/cache_fit')
const [out] = words
if (!out) throw new Error('cache-fit.mjs OUT [--modules DIR] [--fit PROGRAM]')
if (!existsSync(fit)) throw new Error(`no ${fit}: cmake --build build/native --target cache_fit`)

const run = (...args) => execFileSync(process.execPath, args, { stdio: 'inherit' })
run(at('tests/bench/cache-embed.mjs'), out, '--modules', modules)
if (!existsSync(path.join(out, 'pairs.tsv'))) process.exit(0) // it said that there is no data

/** Which fit each model file gets: those of the same network that nobody has measured, the same trees and a margin on the bars. */
const files = {
  'all-MiniLM-L6-v2.w8': '--model',
  'all-MiniLM-L6-v2.q8': '--kin',
  'all-MiniLM-L6-v2.kin': '--kin',
  'lexical-1': '--lexical',
}
for (const [file, mode] of Object.entries(files)) {
  console.log(`\n${file} (${mode})`)
  const done = spawnSync(fit, [out, mode], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(done.stderr)
  console.log(done.stderr.trimEnd())
  writeFileSync(at(`core/cache/models/${file}.txt`), done.stdout)
}
run(at('core/cache/generate.mjs'))
