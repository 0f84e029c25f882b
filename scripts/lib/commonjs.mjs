// The Node library once more for `require`: Jest without transforms, CommonJS programs on Node before 20.19.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { at } from './paths.mjs'
import { Stop } from './run.mjs'

const folder = 'dist/cjs'
const entry = 'dist/node/index'

/** Writes dist/cjs: one script, the types beside it in the places of the originals, and the word that makes both CommonJS. */
export async function bundleCommonJs() {
  const { build } = await import('esbuild')
  rmSync(at(folder), { recursive: true, force: true })
  await build({
    absWorkingDir: at(''),
    entryPoints: [`${entry}.js`],
    outfile: `${folder}/node/index.js`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    packages: 'external',
    legalComments: 'none',
    logLevel: 'warning',
    // What is found by an address is the thread that models run in, and packages beside this one: both from there.
    define: { 'import.meta.url': '__here' },
    banner: { js: "const __here = require('node:url').pathToFileURL(__dirname + '/../../node/embed/index.js').href;" },
  })
  const types = typesBehind(`${entry}.d.ts`)
  for (const file of types) {
    const target = at(file.replace(/^dist\//, `${folder}/`))
    mkdirSync(path.dirname(target), { recursive: true })
    copyFileSync(at(file), target)
  }
  writeFileSync(at(folder, 'package.json'), '{ "type": "commonjs" }\n')
}

/** The declarations that one file leads to, itself included: a copy of all others would be dead weight. */
function typesBehind(start) {
  const found = new Set()
  const add = (file) => {
    if (found.has(file)) return
    found.add(file)
    for (const [, next] of readFileSync(at(file), 'utf8').matchAll(/\b(?:from|import\()\s*['"](\.[^'"]+)\.js['"]/g))
      add(path.posix.join(path.posix.dirname(file), `${next}.d.ts`))
  }
  add(start)
  if (found.size < 2) throw new Stop(`${start} leads to no other types`)
  return found
}
