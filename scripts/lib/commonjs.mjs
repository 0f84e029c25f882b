// The Node library once more for `require`: Jest without transforms, CommonJS programs on Node before 20.19.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { at } from './paths.mjs'
import { Stop } from './run.mjs'

const folder = 'dist/cjs'
const entry = 'dist/node/index'
/** Further entries of the package, by the name under which the one script has them: one process has one of everything. */
const others = {
  '#ai-sdk': 'dist/node/ai-sdk',
  '#serve': 'dist/node/serve/serve',
  '#redis': 'dist/node/redis/index',
}

/** Writes dist/cjs: one script for all entries, the types in the places of the originals, and the word that makes both CommonJS. */
export async function bundleCommonJs() {
  const { build } = await import('esbuild')
  rmSync(at(folder), { recursive: true, force: true })
  await build({
    absWorkingDir: at(''),
    stdin: {
      contents: [
        `export * from './${entry}.js'`,
        ...Object.entries(others).map(([name, file]) => `export * as '${name}' from './${file}.js'`),
      ].join('\n'),
      resolveDir: at(''),
    },
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
  for (const [name, file] of Object.entries(others)) {
    const target = at(file.replace(/^dist\//, `${folder}/`))
    mkdirSync(path.dirname(target), { recursive: true })
    const main = path.relative(path.dirname(target), at(folder, 'node/index.js')).replaceAll('\\', '/')
    writeFileSync(
      `${target}.js`,
      `module.exports = require('${main.startsWith('.') ? main : `./${main}`}')['${name}']\n`,
    )
  }
  const types = typesBehind([entry, ...Object.values(others)].map((file) => `${file}.d.ts`))
  for (const file of types) {
    const target = at(file.replace(/^dist\//, `${folder}/`))
    mkdirSync(path.dirname(target), { recursive: true })
    copyFileSync(at(file), target)
  }
  writeFileSync(at(folder, 'package.json'), '{ "type": "commonjs" }\n')
}

/** The declarations that some files lead to, themselves included: a copy of all others would be dead weight. */
function typesBehind(starts) {
  const found = new Set()
  const add = (file) => {
    if (found.has(file)) return
    found.add(file)
    for (const [, next] of readFileSync(at(file), 'utf8').matchAll(/\b(?:from|import\()\s*['"](\.[^'"]+)\.js['"]/g))
      add(path.posix.join(path.posix.dirname(file), `${next}.d.ts`))
  }
  for (const start of starts) add(start)
  if (found.size < 2) throw new Stop(`${starts.join(', ')} lead to no other types`)
  return found
}
