// The seeds' case: 30 n-grams on 4 indexes, against a loopback server with a fixed cost for each request (simulated; the engine
// itself costs nothing here). Every way has at most 50 requests at once, as the seeds have it.
import { createServer } from 'node:http'
import { openSearch } from '../../dist/node/documents/search.js'
import { meilisearch } from '../../dist/web/standard/search/meilisearch.js'

const costMs = 40
/** Requests that the server works on at once; the others wait. */
const places = 10
const words = 'tarif culotte menstruelle noire lot3 taille coton biologique livraison retour garantie'.split(' ')
const ngrams = [1, 2, 3].flatMap((n) =>
  words.slice(0, words.length - n + 1).map((_, at) => words.slice(at, at + n).join(' ')),
)
const indexes = ['products', 'pages', 'help', 'news']

let [busy, requests] = [0, 0]
const waiting = []
const done = () => {
  busy -= 1
  waiting.shift()?.()
}
const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    requests += 1
    const { queries } = JSON.parse(Buffer.concat(chunks))
    const work = () => {
      busy += 1
      setTimeout(() => {
        response.end(JSON.stringify({ results: queries.map(() => ({ hits: [] })) }))
        done()
      }, costMs)
    }
    if (busy < places) work()
    else waiting.push(work)
  })
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${server.address().port}`

const ways = [
  ['one request a search, all n-grams', { maxBatch: 1 }, undefined],
  ['one request a search, the seeds’ 20', { maxBatch: 1 }, 'seed'],
  ['batches of 50, all n-grams', {}, undefined],
  ['batches of 50, the seeds’ 20', {}, 'seed'],
  ['batches of 50, cover', {}, 'cover'],
]
let first
for (const [name, options, strategy] of ways) {
  requests = 0
  const search = await openSearch(meilisearch({ url, ...options }))
  const { report } = await search.searchNgrams({ ngrams, indexes, strategy })
  if (report.requests !== requests) throw new Error(`${report.requests} requests reported, ${requests} arrived`)
  first ??= report.ms
  console.log(
    `${name.padEnd(36)} ${String(report.sent).padStart(3)} searches, ${String(requests).padStart(3)} requests, ${report.ms.toFixed(0).padStart(5)} ms = ${(report.ms / first).toFixed(2)} of the first`,
  )
}
console.log(`simulated: ${costMs} ms a request, ${places} at once`)
server.close()
server.closeAllConnections()
