/** The same for the command line: no key on its screens or in any file that it leaves. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { FaultServer } from '../faults/fault-server.js'
import { canary, configOf, once, plan } from '../faults/host.js'
import { scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { names, rules, steps, timeouts } from './leaky.js'
import { filesBelow, leaks } from './secrets.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(150_000)

let server: FaultServer
beforeAll(async () => void (server = await FaultServer.start()))
afterAll(() => server.close())

describe('the command line', () => {
  const { folder, remove } = scratch()
  afterAll(remove)
  const kept = ['run.json', 'report.md', 'journal.jsonl', 'step_outputs/answer.md']
  const planFile = path.join(folder, 'plan.json')
  const configFile = path.join(folder, 'config.json')
  const env = { AETHERFLOW_DEBUG: '1', BETA_KEY: canary, GEMINI_API_KEY: canary, FORCE_COLOR: '1' }

  beforeAll(() => {
    server.script(names.map(rules))
    const inFile = { alpha: { concurrency: 64 }, beta: { keyEnv: 'BETA_KEY', key: undefined, concurrency: 64 } }
    const config = configOf(server, { policy: { timeouts, ...once, repairs: 0 }, providers: inFile })
    writeFileSync(configFile, JSON.stringify(config))
    const viaBeta = steps.map((each) => ({ ...each, id: `${(each as { id: string }).id} again`, provider: 'beta' }))
    writeFileSync(planFile, JSON.stringify(plan(...steps, ...viaBeta)))
  })

  test('run, plain, --json and --quiet: the screen and every file of the folder', async () => {
    const runs = ['plain', '--json', '--quiet'].map(async (flag) => {
      const out = path.join(folder, `out${flag}`)
      const flags = flag === 'plain' ? [] : [flag]
      const words = ['run', planFile, '--config', configFile, '--output', out, ...flags]
      return { out, ...(await aetherflow(words, '', { env })) }
    })
    for (const { out, code, stdout, stderr } of await Promise.all(runs)) {
      expect(code).toBe(1)
      expect(leaks(stdout + stderr, canary)).toEqual([])
      const files = filesBelow(out)
      expect([...files.keys()]).toEqual(expect.arrayContaining(kept))
      expect([...files].filter(([name, text]) => leaks(name + text, canary).length > 0)).toEqual([])
    }
    // Both keys, that of the file and that of the environment, were sent where they belong.
    for (const provider of ['alpha', 'beta']) expect(server.ledger.to(provider).length).toBeGreaterThan(names.length)
  })

  test.each([
    ['check', planFile],
    ['explain', planFile, '--config', configFile],
    ['explain', planFile, '--config', configFile, '--json'],
    ['providers', '--config', configFile],
    ['providers', '--config', configFile, '--json'],
    ['generate', '#step=echoHeader# hello', '--config', configFile],
    ['run', '--config', configFile, 'absent.json'],
    ['run', planFile, '--config', planFile],
    ['run', '--output', path.join(folder, 'outplain'), '--resume', '--config', configFile],
    ['run', '--output', path.join(folder, 'outplain'), '--resume', '--config', configFile, '--json'],
    ['replay', path.join(folder, 'outplain')],
    ['replay', path.join(folder, 'outplain'), '--json', '--until', '40'],
  ])('%s (%#)', async (...words) => {
    const { stdout, stderr } = await aetherflow(words, '', { env })
    expect(stdout + stderr).not.toBe('')
    expect(leaks(stdout + stderr, canary)).toEqual([])
  })

  test('a configuration that cannot be read is not quoted', async () => {
    const broken = path.join(folder, 'broken.json')
    for (const text of [`{"providers":{"alpha":{"key":"${canary}"`, `"${canary}"`, `{"providers":"${canary}"}`]) {
      writeFileSync(broken, text)
      const { code, stdout, stderr } = await aetherflow(['run', planFile, '--config', broken], '', { env })
      expect([code, stderr.includes('host.config')]).toEqual([2, true])
      expect(leaks(stdout + stderr, canary)).toEqual([])
    }
  })
})
