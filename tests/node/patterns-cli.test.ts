/** `aetherflow analyze` as somebody types it. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(60_000)

let folder = ''
let remove = (): void => {}
beforeEach(() => {
  ;({ folder, remove } = scratch())
})
afterEach(() => remove())
const write = (name: string, value: unknown): void =>
  writeFileSync(path.join(folder, name), typeof value === 'string' ? value : JSON.stringify(value))
const cli = (...words: string[]) => aetherflow(words, '', { cwd: folder })

describe('analyze', () => {
  const schema = { type: 'object', properties: { mood: { enum: ['good', 'bad'] } }, required: ['mood'] }
  const turns = [{ role: 'user', content: 'It works.' }]

  test('prints JSON, and the second time the kept one', async () => {
    write('talk.json', { messages: turns })
    write('schema.json', schema)
    const words = ['analyze', 'talk.json', '--schema', 'schema.json', '--simulate', 'instant', '--cache', 'kept']
    const first = await cli(...words)
    expect([first.code, JSON.parse(first.stdout)]).toEqual([0, { mood: 'good' }])
    expect(first.stderr).toMatch(/^groq\/openai\/gpt-oss-20b in .*; 1 of 1 turns seen, about \d+ tokens.*simulated/)
    const second = await cli(...words, '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ value: { mood: 'good' }, from: 'cache', costMicroUsd: 0 })
    expect(second.stderr).toMatch(/^kept answer of groq/)
    expect(JSON.parse((await cli(...words, '--json', '--force')).stdout)).toMatchObject({ from: 'model' })
  })

  test('says what is wrong with its files', async () => {
    write('talk.json', '[{')
    write('schema.json', schema)
    for (const [history, named] of [
      ['talk.json', 'talk.json'],
      ['absent.json', 'absent.json'],
      ['schema.json', 'history'],
    ] as const) {
      const ended = await cli('analyze', history, '--schema', 'schema.json', '--simulate', 'instant')
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([
        2,
        '',
        expect.stringContaining(`host.usage at ${named}`),
      ])
    }
    expect((await cli('analyze', 'talk.json')).code).toBe(2)
  })
})
