import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import type { CoreModule, Session } from '../../bindings/module.js'
import { loadCore } from '../../node/loader.js'

/** A core whose sessions count their deletions. */
async function counted(): Promise<{ module: CoreModule; deleted: () => number }> {
  const core = await loadCore()
  let deletions = 0
  const module = {
    get HEAPU8() {
      return core.HEAPU8
    },
    get HEAPF64() {
      return core.HEAPF64
    },
    Session: function () {
      const session: Session = new core.Session()
      const remove = session.delete.bind(session)
      const value = (): void => {
        deletions += 1
        remove()
      }
      return Object.defineProperty(session, 'delete', { value })
    } as unknown as CoreModule['Session'],
  }
  return { module, deleted: () => deletions }
}

describe('the life of a CoreRun', () => {
  test('dispose frees once, and every later call says host.disposed', async () => {
    const { module, deleted } = await counted()
    const run = new CoreRun(module)
    run.dispose()
    run.dispose()
    expect(deleted()).toBe(1)
    expect(run.disposed).toBe(true)
    expect(() => run.tick(0)).toThrow(expect.objectContaining({ code: 'host.disposed' }))
  })

  test('using disposes at the end of the block', async () => {
    const { module, deleted } = await counted()
    {
      using run = new CoreRun(module)
      expect(run.drain().length).toBe(0)
    }
    expect(deleted()).toBe(1)
  })

  test('a forgotten run is freed with its garbage', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const { module, deleted } = await counted()
    const forget = (): void => {
      for (let i = 0; i < 20; ++i) new CoreRun(module).tick(0)
    }
    forget()
    for (let turn = 0; turn < 100 && deleted() < 19; ++turn) {
      collect()
      await sleep(5)
    }
    // One may still be held by the stack; never freeing any is the fault this looks for.
    expect(deleted()).toBeGreaterThanOrEqual(19)
  })

  test('texts survive a growth of the heap', async () => {
    using run = new CoreRun(await loadCore())
    const long = 'é'.repeat(3_000_000)
    expect(run.estimateTokens(long)).toBeGreaterThan(100_000)
    expect(run.documentText('defaults')).toContain('"providers"')
  })

  test('the list of bound names stays small', async () => {
    const core = await loadCore()
    const session = new core.Session()
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(session)).filter((name) => name !== 'constructor')
    session.delete()
    expect(names.length).toBeLessThanOrEqual(30)
  })
})
