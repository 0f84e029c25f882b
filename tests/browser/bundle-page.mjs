// node tests/browser/bundle-page.mjs NAME OUT: joins the compiled build/tests-js/tests/browser/pages/NAME.js into one file, with
// the stand-in of the test library that lies beside it.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [name, out] = process.argv.slice(2)
const pages = fileURLToPath(new URL('../../build/tests-js/tests/browser/pages', import.meta.url))
await build({
  entryPoints: [`${pages}/${name}.js`],
  outfile: out,
  alias: { '@jest/globals': `${pages}/jest-globals.js` },
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
})
