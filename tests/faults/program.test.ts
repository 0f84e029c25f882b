/** The command line as a process, against a fault server in another: attempts and waits by the server's ledger. */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { jsonLines, Process, scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { answerOf } from './wire.js'
import type { FaultDescription } from './description.js'
import { configOf, plan, step } from './host.js'
import { RemoteFaultServer } from './remote.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

const { folder, remove } = scratch()
let server: RemoteFaultServer
beforeAll(async () => void (server = await RemoteFaultServer.start()))
afterAll(async () => {
  Process.endAll()
  await server.close()
  remove()
})

const at = (name: string): string => path.join(folder, name)
const retry = { attempts: 4, perModel: 4, baseMs: 20, capMs: 50 }
let seen = 0

beforeEach(async () => {
  seen = (await server.ledger()).entries.length
  const config = configOf(server, { policy: { retry, overflow: 'never', breaker: { failures: 100 } } })
  writeFileSync(at('config.json'), JSON.stringify(config))
})

async function ran(fault: FaultDescription, times: number, ...flags: string[]) {
  await server.script([{ step: 'a', times, fault }])
  writeFileSync(at('plan.json'), JSON.stringify(plan(step('a', { provider: 'alpha' }), step('b'))))
  const ended = await aetherflow(['run', at('plan.json'), '--config', at('config.json'), ...flags])
  const { entries } = await server.ledger()
  return { ...ended, requests: entries.slice(seen).filter((entry) => entry.step === 'a') }
}

describe('a run over sockets between processes', () => {
  test('always refused: exactly as many requests as configured, and the screen says why', async () => {
    const { code, requests, stdout } = await ran({ refuse: 503 }, 1000)
    expect([code, requests.length]).toEqual([1, 4])
    expect(stdout).toContain('1 of 2 steps done')
  })

  test.each<[string, FaultDescription]>([
    ['a full limit', { rateLimited: { 'retry-after-ms': '60' } }],
    ['a reset before the headers', 'resetBeforeHeaders'],
    ['a reset in the body', { cutOff: 0.4, ending: 'reset' }],
    ['an end in the body', { cutOff: 0.4, ending: 'fin' }],
    ['an error in the stream', 'errorInStream'],
    ['garbage', 'garbage'],
    ['HTML', 'html'],
  ])('%s twice, then an answer', async (_, fault) => {
    const { code, requests, stdout } = await ran(fault, 2, '--json')
    expect([code, requests.length]).toEqual([0, 3])
    const lines = jsonLines(stdout)
    expect(lines.filter(({ type, reason }) => type === 'note' && reason === 'retrying').length).toBe(2)
    expect(lines.find(({ type, step: id }) => type === 'done' && id === 'a')).toMatchObject({
      bytes: Buffer.byteLength(answerOf('a')),
    })
    if (typeof fault === 'object' && 'rateLimited' in fault)
      for (const [index, { at: time }] of requests.entries())
        if (index > 0) expect(time - (requests[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(60)
  })

  test('Ctrl-C reaches the sockets', async () => {
    await server.script([{ step: 'a', fault: 'stalls' }])
    writeFileSync(at('plan.json'), JSON.stringify(plan(step('a', { provider: 'alpha' }))))
    const process = new Process(['run', at('plan.json'), '--config', at('config.json'), '--json'])
    await process.until('firstToken')
    process.child.kill('SIGINT')
    expect((await process.exit()).code).toBe(130)
    const [entry] = (await server.ledger()).entries.slice(seen)
    expect(entry?.left).toBe(true)
  })
})
