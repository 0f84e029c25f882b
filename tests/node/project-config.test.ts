/** A project's own configuration, read without being asked for; and keys from a file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { explainPlan } from '../../node/index.js'
import { takeKeysFile } from '../../node/keys-file.js'
import { projectConfig, readProjectConfig, withProject } from '../../node/project-config.js'
import { projectPath } from '../fixtures/paths.js'

const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-project-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const plan = { task_id: 't', description: 'd', steps: [{ id: 'a', type: 'analysis', description: 'x' }] }

describe('aetherflow.config.json', () => {
  test.each([
    [{ providers: { groq: { baseUrl: 'https://else.where' } } }, "'baseUrl' of provider 'groq'"],
    [{ providers: { groq: { key: 'k' } } }, "'key' of provider 'groq'"],
    [{ providers: { groq: { keyEnv: 'GEMINI_API_KEY' } } }, "'keyEnv' of provider 'groq'"],
    [{ providers: { mine: { dialect: 'generic' } } }, "'dialect' of provider 'mine'"],
    [{ providers: { groq: { models: { m: { price: 0 } } } } }, "'models' of provider 'groq'"],
    [{ unknownPrice: { input: 0 } }, "'unknownPrice'"],
    [{ cache: { dir: '/tmp/x' } }, "'cache'"],
    [{ apiKeyCommand: 'sh' }, "'apiKeyCommand'"],
  ])('%j is refused: where calls go and what they cost is the user`s', (value, what) => {
    expect(() => projectConfig(value, 'f')).toThrow(
      expect.objectContaining({ code: 'host.config', detail: expect.stringContaining(what) }),
    )
  })

  test('its schema knows exactly what it takes', () => {
    const schema = JSON.parse(readFileSync(projectPath('node/project.schema.json'), 'utf8')) as {
      properties: Record<string, unknown>
    }
    for (const name of Object.keys(schema.properties))
      expect(() => projectConfig({ [name]: undefined }, 'f')).not.toThrow()
    expect(schema.properties).not.toHaveProperty('cache')
  })

  test('the lower ceiling counts, whoever set it; other settings are the project`s', () => {
    const user = { budget: { run: { usd: 1, tokens: 500 }, step: { usd: 0.1 } }, retry: { attempts: 2, perModel: 1 } }
    const project = { budget: { run: { usd: 5, tokens: 100 }, attempt: { usd: 0.01 } }, retry: { attempts: 4 } }
    expect(withProject(user, project)).toEqual({
      budget: { run: { usd: 1, tokens: 100 }, step: { usd: 0.1 }, attempt: { usd: 0.01 } },
      retry: { attempts: 4, perModel: 1 },
    })
  })

  test('counts when a folder is named, and not otherwise', async () => {
    expect(await readProjectConfig(folder)).toBeUndefined()
    writeFileSync(
      path.join(folder, 'aetherflow.config.json'),
      JSON.stringify({ $schema: 'x', budget: { run: { usd: 0.5 } } }),
    )
    const ceiling = async (project: string | undefined) =>
      (await explainPlan(plan, { config: {}, project })).report.budget?.run.costMicroUsd
    expect(await ceiling(folder)).toBe(500_000)
    expect(await ceiling(undefined)).toBeUndefined()
  })
})

test('of a file of variables keys alone are taken, and only those that are not set', async () => {
  const file = path.join(folder, 'keys')
  const lines = [
    'GROQ_API_KEY="a b"',
    'export GEMINI_API_KEY=two # mine',
    'NODE_OPTIONS=--require=x',
    'HTTPS_PROXY=p',
    'OPENAI_API_KEY=o',
  ]
  writeFileSync(file, lines.join('\n'))
  const env: Record<string, string | undefined> = { OPENAI_API_KEY: 'set', GROQ_API_KEY: '' }
  const known = new Set(['GROQ_API_KEY', 'GEMINI_API_KEY', 'OPENAI_API_KEY'])
  const { taken, left } = await takeKeysFile(file, known, env)
  expect([taken.sort(), left]).toEqual([['GEMINI_API_KEY', 'GROQ_API_KEY'], 2])
  expect(env).toEqual({ GROQ_API_KEY: 'a b', GEMINI_API_KEY: 'two', OPENAI_API_KEY: 'set' })
  await expect(takeKeysFile(path.join(folder, 'none'), known, env)).rejects.toMatchObject({ code: 'host.usage' })
})
