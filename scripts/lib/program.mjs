// The command line as few files: reading two hundred takes longer than most commands do.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { writeLicences } from './licences.mjs'
import { at } from './paths.mjs'

const folder = 'dist/program'

/** Writes dist/program, one file per command and what they share, and sends dist/node/cli/main.js there. */
export async function bundleProgram() {
  const { build } = await import('esbuild')
  rmSync(at(folder), { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: at(''),
    entryPoints: ['node/cli/main.ts'],
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    // Packages in CommonJS ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    plugins: [places],
  })
  writeLicences(`${folder}/licences.txt`, Object.keys(metafile.inputs))
  writeFileSync(at('dist/node/cli/main.js'), "#!/usr/bin/env node\nimport '../../program/main.js'\n")
}

/** What lies in dist/ by itself stays there, and every source finds it from where its own output would lie. */
const places = {
  name: 'places',
  setup({ onLoad, onResolve }) {
    onResolve(
      { filter: /(^|\/)(core\/aetherflow_\w+(\.bytes|\.data)?\.m?js|sdk\.js|plot\.js)$/ },
      ({ path: wanted, importer }) => {
        const place = path.relative(at(''), path.resolve(path.dirname(importer), wanted))
        return { path: `../${place}`, external: true }
      },
    )
    onLoad({ filter: /\/(bindings|node|web)\/[^.]*\.ts$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = `../${path.relative(at(''), file).replace(/\.ts$/, '.js')}`
      const contents = text.replaceAll('import.meta.url', `new URL(${JSON.stringify(place)}, import.meta.url).href`)
      return { contents, loader: 'ts' }
    })
  },
}
