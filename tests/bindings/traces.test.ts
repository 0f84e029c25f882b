import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import { loadCore } from '../../node/loader.js'
import { projectPath } from '../fixtures/paths.js'
import { TracePlayer } from './trace-player.js'
import { readTrace } from './trace-runner.js'

const folder = projectPath('tests/traces')
const native = projectPath('build/traces')
const names = readFileSync(`${folder}/list.txt`, 'utf8').split('\n').filter(Boolean)

const dumped = existsSync(native)
if (!dumped) console.warn('SKIPPED the byte comparison: run the native tests first (npm test does)')

describe('traces through WebAssembly', () => {
  test.each(names)('%s', async (name) => {
    using run = new CoreRun(await loadCore())
    const trace = readTrace(`${folder}/${name}`)
    const played = new TracePlayer(run, trace).play()
    expect(played.lines).toEqual(trace.lines)
    if (!dumped) return
    expect(Buffer.compare(played.bytes, readFileSync(`${native}/${name}.bytes`))).toBe(0)
  })
})
