// Builds one file for Node, a server that draws pages (rsc) or a Worker-like place: node bundle.mjs esbuild|webpack esm|cjs|rsc|edge ENTRY OUTPUT, packages of the project.
import path from 'node:path'
import { build } from 'esbuild'
import webpack from 'webpack'

const [bundler, format, entry, output] = process.argv.slice(2)
const folder = path.dirname(entry)

if (bundler === 'esbuild') {
  const edge = format === 'edge'
  await build({
    absWorkingDir: folder,
    entryPoints: [entry],
    outfile: output,
    bundle: true,
    minify: true,
    logLevel: 'error',
    ...(edge
      ? {
          platform: 'browser',
          format: 'iife',
          conditions: ['workerd', 'edge-light', 'worker'],
          logOverride: { 'empty-import-meta': 'silent' },
        }
      : {
          platform: 'node',
          format: format === 'rsc' ? 'esm' : format,
          ...(format === 'rsc' ? { conditions: ['react-server', 'node', 'import', 'module'] } : {}),
          logOverride: { 'empty-import-meta': 'silent' },
        }),
    // CommonJS inside an ES module asks for `require`.
    ...(format === 'esm' || format === 'rsc'
      ? { banner: { js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);" } }
      : {}),
  })
} else {
  const module = format === 'esm'
  const stats = await new Promise((resolve, reject) =>
    webpack(
      {
        mode: 'production',
        // What is bundled counts here, and minifying takes ten times as long.
        optimization: { minimize: false },
        target: 'node20',
        context: folder,
        entry,
        output: {
          path: path.dirname(output),
          filename: path.basename(output),
          ...(module ? { module, chunkFormat: 'module' } : {}),
        },
        ...(module ? { experiments: { outputModule: true } } : {}),
      },
      (error, stats) => (error ? reject(error) : resolve(stats)),
    ),
  )
  if (stats.hasErrors()) throw new Error(stats.toString({ preset: 'errors-warnings' }))
}
