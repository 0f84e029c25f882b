// Fetches Deno and Bun for tests/packed: their binaries are packages of npm. Into build/runtimes; once.
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { at } from './lib/paths.mjs'
import { main, must, Stop } from './lib/run.mjs'

const runtimes = {
  deno: {
    version: '2.9.6',
    packages: {
      'linux-x64': '@deno/linux-x64-glibc',
      'linux-arm64': '@deno/linux-arm64-glibc',
      'darwin-x64': '@deno/darwin-x64',
      'darwin-arm64': '@deno/darwin-arm64',
    },
    file: 'deno',
  },
  bun: {
    version: '1.4.5',
    packages: {
      'linux-x64': '@oven/bun-linux-x64',
      'linux-arm64': '@oven/bun-linux-aarch64',
      'darwin-x64': '@oven/bun-darwin-x64',
      'darwin-arm64': '@oven/bun-darwin-aarch64',
    },
    file: 'bin/bun',
  },
}

await main(async () => {
  const platform = `${process.platform}-${process.arch}`
  for (const [name, { version, packages, file }] of Object.entries(runtimes)) {
    const target = at('build/runtimes', name)
    if (existsSync(target)) continue
    const from = packages[platform]
    if (from === undefined) throw new Stop(`${name}: no package for ${platform}`)
    mkdirSync(at('build/runtimes'), { recursive: true })
    const options = { cwd: at('build/runtimes') }
    const tarball = (await must('npm', ['pack', '--silent', `${from}@${version}`], { ...options, show: false })).trim()
    await must(
      'tar',
      ['-xzf', tarball, '--strip-components', String(1 + file.split('/').length - 1), `package/${file}`],
      options,
    )
    rmSync(at('build/runtimes', tarball))
    console.log(`${name} ${version}`)
  }
})
