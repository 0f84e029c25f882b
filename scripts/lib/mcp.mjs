// The official MCP library as one file in the package: who installs this package installs no dependency for it.
import { writeLicences } from './licences.mjs'
import { at } from './paths.mjs'

/** Writes dist/node/mcp/sdk.js in the place of what the compiler made of its source, and the licences beside it. */
export async function bundleMcp() {
  const { build } = await import('esbuild')
  const { metafile } = await build({
    absWorkingDir: at(''),
    entryPoints: ['node/mcp/sdk.ts'],
    outfile: 'dist/node/mcp/sdk.js',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  })
  writeLicences('dist/node/mcp/licences.txt', Object.keys(metafile.inputs))
}
