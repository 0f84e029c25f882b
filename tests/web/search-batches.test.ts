/** Many searches as few requests: against an engine that answers on a loopback socket, and one in this process. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import MiniSearch from 'minisearch'
import { IndexCore } from '../../bindings/index/core.js'
import { loadIndex } from '../../node/loader.js'
import { recallOf, SearchBatches } from '../../web/standard/search/batches.js'
import { meilisearch } from '../../web/standard/search/meilisearch.js'
import { minisearch } from '../../web/standard/search/minisearch.js'
import type { SearchPort } from '../../web/standard/search/port.js'

const names = ['products', 'pages', 'help', 'news']
const words =
  'tarif culotte menstruelle lavable taille coton biologique livraison retour garantie noire lot3 promo guide lavage'.split(
    ' ',
  )

/** Documents by a fixed sequence, so that every run has the same. */
function documents(index: number): { id: string; text: string }[] {
  let state = index + 1
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  return Array.from({ length: 80 }, (_, at) => ({
    id: `${names[index]}-${at}`,
    text: Array.from({ length: 3 + below(6) }, () => words[below(words.length)]).join(' '),
  }))
}
const engines = Object.fromEntries(
  names.map((name, at) => {
    const engine = new MiniSearch({ fields: ['text'] })
    engine.addAll(documents(at))
    return [name, engine] as const
  }),
)
const local = minisearch(engines)

/** The route of Meilisearch over the engines above: one bad query fails the whole request, as there. */
let server: Server
let url = ''
let requests: { queries: number; authorization: string | undefined }[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      }
      const { queries } = JSON.parse(Buffer.concat(chunks).toString()) as {
        queries: { indexUid: string; q: string; limit: number; matchingStrategy: string }[]
      }
      requests.push({ queries: queries.length, authorization: request.headers.authorization })
      if (request.headers.authorization === 'Bearer wrong')
        return answer(403, { code: 'invalid_api_key', message: 'no' })
      if (request.url !== '/multi-search' || queries.some(({ matchingStrategy }) => matchingStrategy !== 'all'))
        return answer(500, {})
      const bad = queries.findIndex(({ indexUid }) => engines[indexUid] === undefined)
      if (bad >= 0)
        return answer(400, { code: 'index_not_found', message: `Inside \`.queries[${bad}]\`: Index not found.` })
      void local
        .search(queries.map(({ indexUid, q, limit }) => ({ index: indexUid, text: q, limit })))
        .then((answers) =>
          answer(200, {
            results: answers.map(({ hits }) => ({ hits: hits.map(({ id, score }) => ({ id, _rankingScore: score })) })),
          }),
        )
    })
  })
  // No connection is closed while a request is on its way to it.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
afterAll(() => void server.close())

let core: IndexCore
beforeAll(async () => {
  const { module, data } = await loadIndex()
  core = new IndexCore(module, data)
})
const batches = (port: SearchPort): SearchBatches =>
  new SearchBatches(
    port,
    (...of) => core.grams(...of),
    () => 0,
  )

/** All one, two and three words in a row of the seeds' kind of question: 30. */
const question = 'tarif culotte menstruelle noire lot3 taille coton biologique livraison retour garantie'.split(' ')
const ngrams = [1, 2, 3].flatMap((n) =>
  question.slice(0, question.length - n + 1).map((_, at) => question.slice(at, at + n).join(' ')),
)

describe('the seeds’ case: 30 n-grams on 4 indexes', () => {
  test.each([
    [undefined, 120, 3],
    ['seed', 80, 2],
    ['cover', 44, 1],
  ] as const)('%s: %i searches in %i requests', async (strategy, sent, most) => {
    expect(ngrams).toHaveLength(30)
    requests = []
    const found = await batches(meilisearch({ url, key: 'k' })).searchNgrams({ ngrams, indexes: names, strategy })
    expect(found.report).toMatchObject({ asked: 120, sent, requests: most, failed: [] })
    expect(requests).toHaveLength(most)
    expect(requests[0]?.authorization).toBe('Bearer k')
    expect(requests.reduce((sum, { queries }) => sum + queries, 0)).toBe(sent)
  })

  test('cover loses nothing while no list is full, and says when one was', async () => {
    const port = batches(local)
    const all = await port.searchNgrams({ ngrams, indexes: names, limit: 1000 })
    const covered = await port.searchNgrams({ ngrams, indexes: names, limit: 1000, strategy: 'cover' })
    // A short word is not asked for by the seeds' rule, and nothing else finds what holds it alone.
    const tiny = new MiniSearch({ fields: ['text'] })
    tiny.add({ id: 't', text: 'bio' })
    const small = batches(minisearch({ tiny }))
    const more = { ngrams: [...ngrams, 'bio'], indexes: ['tiny'] }
    const [every, seeds] = [await small.searchNgrams(more), await small.searchNgrams({ ...more, strategy: 'seed' })]
    expect(covered.report.complete).toBe(true)
    expect(recallOf(all, covered)).toBe(1)
    expect(seeds.report.complete).toBe(false)
    expect(recallOf(every, seeds)).toBe(0)
    const short = await port.searchNgrams({ ngrams, indexes: names, limit: 3, strategy: 'cover' })
    expect(short.report.complete).toBe(false)
  })
})

test('a property: whatever the n-grams, cover’s union is the whole union', async () => {
  let state = 3
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const port = batches(local)
  for (let round = 0; round < 60; round++) {
    const grams = Array.from({ length: 1 + below(25) }, () =>
      Array.from({ length: 1 + below(3) }, () => words[below(words.length)]).join(' '),
    )
    const all = await port.searchNgrams({ ngrams: grams, indexes: names, limit: 1000 })
    const kept = await port.searchNgrams({ ngrams: grams, indexes: names, limit: 1000, strategy: 'cover', max: 1000 })
    expect(kept.report.complete).toBe(true)
    expect(recallOf(all, kept)).toBe(1)
  }
})

describe('what goes wrong', () => {
  test('a query that the server refuses is found by halves; the others have their answers', async () => {
    requests = []
    const found = await batches(meilisearch({ url })).searchNgrams({
      ngrams: ['tarif', 'coton'],
      indexes: [...names, 'gone'],
    })
    expect(found.report.failed.map(({ query }) => `${query.index} ${query.text}`)).toEqual(['gone tarif', 'gone coton'])
    expect(found.report.failed[0]?.error).toContain('index_not_found')
    expect(found.hits['products']?.length).toBeGreaterThan(0)
    expect(found.report.complete).toBe(false)
    expect(found.report.requests).toBe(requests.length)
  })

  test('a key that is refused, and no server, are no query’s fault', async () => {
    requests = []
    const search = { ngrams: ['tarif', 'coton'], indexes: names }
    const wrong = batches(meilisearch({ url, key: 'wrong' })).searchNgrams(search)
    await expect(wrong).rejects.toMatchObject({ code: 'host.config' })
    expect(requests).toHaveLength(1)
    const nobody = batches(meilisearch({ url: 'http://127.0.0.1:1' })).searchNgrams(search)
    await expect(nobody).rejects.toMatchObject({ code: 'host.io_failed' })
  })

  test('never more requests at once than allowed, and none after the signal', async () => {
    let now = 0
    let most = 0
    const aborted = new AbortController()
    let sent = 0
    const port: SearchPort = {
      maxBatch: 2,
      maxInFlight: 3,
      async search(batch) {
        most = Math.max(most, ++now)
        if (++sent === 7) aborted.abort(new Error('enough'))
        await Promise.resolve()
        now -= 1
        return batch.map(() => ({ hits: [] }))
      },
    }
    const search = { ngrams: words, indexes: names, signal: aborted.signal }
    await expect(batches(port).searchNgrams(search)).rejects.toThrow('enough')
    expect(most).toBe(3)
    expect(sent).toBeLessThan(12)
  })
})
