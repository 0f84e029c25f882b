// Libraries as one file each in the package: who installs this package installs no dependency for them.
import { writeLicences } from './licences.mjs'
import { at } from './paths.mjs'

/** Source without its ending: the official MCP library, and the one that draws charts. */
const libraries = ['node/mcp/sdk', 'node/charts/plot']

/** Writes a bundle in the place of what the compiler made of each source, and the licences beside it. */
export async function bundleLibraries() {
  const { build } = await import('esbuild')
  for (const library of libraries) {
    const { metafile } = await build({
      absWorkingDir: at(''),
      entryPoints: [`${library}.ts`],
      outfile: `dist/${library}.js`,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      minify: true,
      legalComments: 'none',
      logLevel: 'warning',
      metafile: true,
    })
    writeLicences(`dist/${library.replace(/\/[^/]+$/, '')}/licences.txt`, Object.keys(metafile.inputs))
  }
}
