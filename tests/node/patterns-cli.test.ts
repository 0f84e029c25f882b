/** `aetherflow analyze` and `aetherflow debate` as somebody types it. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
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

describe('debate', () => {
  const played = ['--simulate', 'instant']

  test('prints a transcript, and goes on with a run that is kept', async () => {
    const words = ['debate', 'Is tea better?', '--rounds', '2', '--roles', 'Ann: likes tea', 'Bob', ...played]
    const first = await cli(...words, '--journal', 'kept', '--transcript', 'talk.md')
    expect([first.code, first.stdout]).toEqual([0, expect.stringMatching(/^# Debate: Is tea better\?\n/)])
    expect(first.stdout.match(/^### (Ann|Bob) · \w+\//gm)).toHaveLength(4)
    expect(first.stdout).toMatch(/^- together: 5 calls, .* × the tokens \(simulated: instant\)$/m)
    expect(readFileSync(path.join(folder, 'talk.md'), 'utf8')).toBe(first.stdout)
    const again = await cli(...words, '--journal', 'kept', '--resume')
    expect([again.code, again.stdout]).toEqual([0, first.stdout])
  })

  test('the plan of a pattern is one for check and explain; --explain tells least, expected and most', async () => {
    const words = ['debate', 'Is {{tea}} better?', '--pattern', 'consensus', '--models', 'gemini', 'groq']
    const { stdout } = await cli(...words, '--plan')
    write('plan.json', stdout)
    expect(await cli('check', 'plan.json')).toMatchObject({ code: 0 })
    expect((await cli('explain', 'plan.json', ...played)).stdout).toContain('r2.1')
    const told = (await cli(...words, '--explain', ...played)).stdout
    expect(told).toMatch(
      /^settled at once: 2 calls.*\nexpected: 3 calls.*\nall steps: 6 calls.*\ncost of all steps: \$/,
    )
  })

  test.each(['vote', 'best-of', 'revise'])('--pattern %s as JSON', async (pattern) => {
    const { code, stdout } = await cli('debate', 'Is tea better?', '--pattern', pattern, '--json', ...played)
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ kind: pattern, outcome: 'ok', simulated: 'instant', answer: expect.any(String) }),
    ])
  })

  test('says what is wrong with its words', async () => {
    for (const words of [
      ['--rounds', '9'],
      ['--roles', 'one'],
      ['--pattern', 'fight'],
      ['--schema', 'absent.json'],
    ])
      expect((await cli('debate', 'Is tea better?', ...words, ...played)).code).toBe(2)
  })
})
