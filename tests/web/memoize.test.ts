/** Memory of what a host fetches: by a clock of our own. */
import { describe, expect, test } from '@jest/globals'
import { memoize } from '../../web/standard/preload/memoize.js'

function counted(options: Parameters<typeof memoize<string, string>>[1] = {}) {
  let at = 0
  const fetched: string[] = []
  const memo = memoize<string, string>(
    (of) => {
      fetched.push(of)
      return of.startsWith('bad') ? Promise.reject(new Error(of)) : Promise.resolve(`${of}${fetched.length}`)
    },
    { now: () => at, ...options },
  )
  return { memo, fetched, wait: (ms: number) => void (at += ms) }
}

describe('memoize', () => {
  test('one fetch for all who ask at once, and none for the next hour', async () => {
    const { memo, fetched, wait } = counted()
    expect(await Promise.all([memo('a'), memo('a'), memo('a')])).toEqual(['a1', 'a1', 'a1'])
    wait(3600_000 - 1)
    expect(await memo('a')).toBe('a1')
    wait(1)
    expect(await memo('a')).toBe('a2')
    expect(fetched).toEqual(['a', 'a'])
    expect(memo.stats()).toEqual({ entries: 1, hits: 1, misses: 4, joined: 2, stale: 0, failed: 0, evicted: 0 })
  })

  test('a failed fetch is kept for nobody', async () => {
    const { memo, fetched } = counted()
    await expect(Promise.all([memo('bad'), memo('bad')])).rejects.toThrow('bad')
    await expect(memo('bad')).rejects.toThrow('bad')
    expect(fetched).toHaveLength(2)
    expect(memo.stats()).toMatchObject({ entries: 0, failed: 2 })
  })

  test('the one not used for longest goes first', async () => {
    const { memo, fetched } = counted({ max: 2 })
    await memo('a')
    await memo('b')
    await memo('a')
    await memo('c')
    await memo('a')
    expect(fetched).toEqual(['a', 'b', 'c'])
    await memo('b')
    expect(fetched).toEqual(['a', 'b', 'c', 'b'])
    expect(memo.stats()).toMatchObject({ entries: 2, evicted: 2 })
  })

  test('stale only where it is asked for, with a fetch behind it', async () => {
    const { memo, wait } = counted({ ttlMs: 10, stale: true })
    expect(await memo('a')).toBe('a1')
    wait(10)
    expect(await memo('a')).toBe('a1')
    await Promise.resolve()
    expect(await memo('a')).toBe('a2')
    expect(memo.stats().stale).toBe(1)
  })

  test('what is forgotten while it is on its way is not kept', async () => {
    const { memo, fetched } = counted()
    const coming = memo('a')
    memo.forget('a')
    expect(await coming).toBe('a1')
    await memo('a')
    expect(fetched).toHaveLength(2)
    memo.forget()
    expect(memo.stats().entries).toBe(0)
  })
})
