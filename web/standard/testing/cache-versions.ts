/** Versions of scopes, of stores that count them: see CacheStore in bindings/cache/ports.ts. */
import type { CacheStore } from '../../../bindings/cache/ports.js'
import { entryOf, keyOf } from './cache-entries.js'
import { expect, test } from './library.js'

type Use = (open: () => Promise<CacheStore>, place: { readonly versions?: boolean }) => Promise<void>

export function countsVersions(within: (use: Use) => () => Promise<void>): void {
  test(
    'a scope has a version that grows with its own changes alone, by whomever, where the store says that it counts them',
    within(async (open, place) => {
      const [one, other] = [await open(), await open()]
      expect(one.version !== undefined).toBe(place.versions === true)
      if (one.version === undefined || other.version === undefined) return
      const [scope, beside] = [keyOf(1_000_000), keyOf(2_000_000)]
      const versions = async (): Promise<readonly number[]> =>
        Promise.all([one, other].flatMap((store) => [scope, beside].map(async (it) => store.version?.(it) ?? -1)))
      let before = await versions()
      expect(before).toEqual([before[0], before[1], before[0], before[1]])
      const works: readonly (readonly [number, () => Promise<void>])[] = [
        [0, () => one.put(entryOf(1))],
        [0, () => other.put(entryOf(1, { answer: 'newer' }))],
        // Its label is no scope.
        [1, () => other.put(entryOf(2, { scope: beside, label: `"scope":"${scope}"` }))],
        [0, () => one.put(entryOf(3))],
        [1, () => one.remove([keyOf(2)])],
        [0, () => other.remove([keyOf(1), keyOf(3)])],
      ]
      for (const [which, work] of works) {
        await work()
        const now = await versions()
        expect(now[which]! > before[which]!).toBe(true)
        expect(now[1 - which]).toBe(before[1 - which])
        expect(now).toEqual([now[0], now[1], now[0], now[1]])
        before = now
      }
      // What changes nothing.
      await other.remove([keyOf(1)])
      await other.changes()
      await one.read(keyOf(3))
      expect(await versions()).toEqual(before)
    }),
  )
}
