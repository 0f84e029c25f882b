/** A cache that a test can look into. */
import type { AnswerCache, CacheFound, CachePut, CacheQuestion } from '../../bindings/cache/ports.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Keeps answers by the JSON of scope and prompt; for semantic questions as `alike` finds them. */
export class MapCache implements AnswerCache {
  readonly answers = new Map<string, CachePut>()
  readonly asked: CacheQuestion[] = []
  readonly puts: CachePut[] = []
  fails: Error | undefined
  constructor(readonly alike: (one: string, other: string) => boolean = () => false) {}

  static key({ prompt, scope }: CacheQuestion): string {
    return JSON.stringify([scope, prompt])
  }
  async get(question: CacheQuestion): Promise<CacheFound> {
    this.asked.push(question)
    await turn()
    if (this.fails !== undefined) throw this.fails
    const key = MapCache.key(question)
    const same = this.answers.get(key)
    const { prompt, scope, mode } = question
    const near = [...this.answers.values()].find(
      (one) => JSON.stringify(one.scope) === JSON.stringify(scope) && this.alike(one.prompt, prompt),
    )
    const found = same ?? (mode === 'semantic' ? near : undefined)
    if (found === undefined) return { kind: 'miss', key, id: '', score: 0, probability: 0, why: 'empty' }
    const worth = { tokens: 0, microUsd: 0, ms: 0, ...found.worth }
    const kind = found === same ? 'exact' : 'semantic'
    return { kind, key, id: key, answer: found.answer, score: same ? 1 : 0.93, probability: 1, why: kind, worth }
  }
  async put(put: CachePut) {
    this.puts.push(put)
    await turn()
    if (this.fails !== undefined) throw this.fails
    this.answers.set(MapCache.key(put), put)
    return { admission: 'stored', key: MapCache.key(put) }
  }
}
