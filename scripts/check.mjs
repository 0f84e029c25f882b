// The checks that are no tests: formatting, and generated files that must equal what their generators write.
import { fileURLToPath } from 'node:url'
import { generators } from './build.mjs'
import { at } from './lib/paths.mjs'
import { main, must, mustNode } from './lib/run.mjs'
import { sources } from './lib/sources.mjs'
import { setup } from './setup.mjs'

const eslint = at('node_modules/eslint/bin/eslint.js')
const prettier = at('node_modules/prettier/bin/prettier.cjs')

/** Stops at the first check that fails. `found` as setup gives it. */
export async function check(found) {
  for (const generator of generators) await mustNode([at(generator), '--check'])
  await mustNode([prettier, '--check', '--log-level', 'warn', '.'])
  await mustNode([eslint, '--cache', '--cache-location', at('build/eslint.json'), '.'])
  if (found.clangFormat === undefined) return 'C++ formatting skipped: no clang-format 14 on this system'
  await must(found.clangFormat, ['--dry-run', '-Werror', ...sources(['.cpp', '.hpp'])])
  return 'generated files, formatting, lint'
}

/** Formats every file in place. */
export async function format(found) {
  await mustNode([prettier, '--write', '--log-level', 'warn', '.'])
  if (found.clangFormat === undefined) return 'C++ left alone: no clang-format 14 on this system'
  await must(found.clangFormat, ['-i', ...sources(['.cpp', '.hpp'])])
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await check(await setup('test'))))
}
