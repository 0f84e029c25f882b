/** From outside: three lines of plan give many files their licence header, and `--undo` takes it back to the byte. A thousand: spread.test.ts. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

const count = 200
const header = '// SPDX-License-Identifier: MIT\n'
const codeOf = (at: number): string => `export const value${at} = ${at}\n`

let folder = ''
let remove = (): void => {}
let server: Server | undefined
const place = (...parts: string[]): string => path.join(folder, ...parts)
const files = (): string[] => readdirSync(place('src')).map((name) => readFileSync(place('src', name), 'utf8'))

/** A model that puts the header before the file that it is shown, and all of it in a fence, as models do that were asked for code alone. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = await text(request)
  const code = /<file name=.{0,40}>\\n(export const .*?)\\n<\/file>/.exec(asked)?.[1] ?? 'no file'
  const delta = { content: `\`\`\`ts\n${header}${code}\n\`\`\`` }
  const usage = { prompt_tokens: 60, completion_tokens: 30, total_tokens: 90 }
  const chunk = {
    id: 'x',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: 'stop' }],
    usage,
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)
}

beforeAll(async () => {
  ;({ folder, remove } = scratch())
  mkdirSync(place('src'))
  const all = Array.from({ length: count }, (_, at) => `src/m${String(at).padStart(4, '0')}.ts`)
  for (const [at, name] of all.entries()) writeFileSync(place(name), codeOf(at))
  const [description, target] = ['Add the licence header to {{item}}', '{{item}}']
  const licence = { id: 'licence', type: 'refactoring', for_each: { glob: 'src/**/*.ts' }, description, target }
  writeFileSync(place('plan.json'), JSON.stringify({ steps: [{ ...licence, context: { files: ['{{item}}'] } }] }))
  server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  writeFileSync(
    place('config.json'),
    JSON.stringify({ providers: { mistral: { key: 'k', baseUrl, concurrency: 32 } } }),
  )
})
afterAll(() => {
  server?.close()
  remove()
})

test('two hundred files: checked, explained, run, applied, and taken back', async () => {
  const run = (...words: string[]) => aetherflow(words, '', { cwd: folder })
  expect((await run('check', 'plan.json')).stdout).toContain(`licence: spreads into ${count} steps`)
  const explained = (await run('explain', 'plan.json', '--config', 'config.json')).stdout
  expect(explained).toMatch(/at least +200 calls/)
  expect(explained).toMatch(/licence\[0\] … licence\[\d+\]/)
  const ran = await run('run', 'plan.json', '--config', 'config.json', '--output', 'out', '--quiet')
  expect([ran.code, ran.stderr]).toEqual([0, ''])
  expect(readdirSync(place('out', 'step_outputs')).length).toBe(count + 1)
  const before = files()
  const applied = await run('apply', 'out', '--quiet')
  expect([applied.code, applied.stderr]).toEqual([0, ''])
  expect(files()).toEqual(before.map((text) => header + text))
  expect((await run('apply', 'out', '--undo', '--quiet')).code).toBe(0)
  expect(files()).toEqual(before)
}, 120_000)
