// A relay: a page calls it instead of the providers, and the keys stay here, taken from the environment as by the command line.
// Whoever can reach it spends your money, and an Origin can be forged outside of browsers: put your own sign-in in front.
//   RELAY_ORIGIN=https://your.page PORT=8787 node relay.mjs      in the page: runPlan(plan, { relay: 'http://127.0.0.1:8787' })
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { listProviders } from '@aetherflow/aetherflow'

const { RELAY_ORIGIN = 'http://localhost:5173', PORT = '8787' } = process.env
const { entries } = await listProviders()
// What a page needs of a provider: answers. Everything else that a key opens (files, fine-tuning, other people's batches) stays shut.
const completions = /\/(chat\/completions|fim\/completions|models\/[\w.-]+:(generateContent|streamGenerateContent))$/
const allowed = 'authorization, content-type, x-goog-api-key'
const cors = { 'access-control-allow-origin': RELAY_ORIGIN, 'access-control-allow-headers': allowed, vary: 'origin' }

const server = createServer(async (request, reply) => {
  const [, id, ...rest] = request.url.split('/')
  const { key, baseUrl, dialect } = entries.find((entry) => entry.id === id) ?? {}
  if (request.headers.origin !== RELAY_ORIGIN || !key) return reply.writeHead(403, cors).end()
  if (request.method === 'OPTIONS') return reply.writeHead(204, cors).end()
  if (request.method !== 'POST') return reply.writeHead(405, { ...cors, allow: 'POST, OPTIONS' }).end()
  const address = new URL(`/${rest.join('/')}`, baseUrl)
  const inside = address.origin === new URL(baseUrl).origin && address.pathname.startsWith(new URL(baseUrl).pathname)
  if (!inside || !completions.test(address.pathname)) return reply.writeHead(404, cors).end()
  const auth = dialect === 'gemini' ? { 'x-goog-api-key': key } : { authorization: `Bearer ${key}` }
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { ...auth, 'content-type': 'application/json' },
      body: Readable.toWeb(request),
      duplex: 'half',
      redirect: 'manual',
    })
    reply.writeHead(answer.status, { ...cors, 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    await pipeline(Readable.fromWeb(answer.body ?? new Response('').body), reply)
  } catch {
    // Before its headers the page gets an answer; after them the broken connection says it.
    if (!reply.headersSent) reply.writeHead(502, cors).end()
  }
})
server.listen(Number(PORT), '127.0.0.1', () => console.log(`relay on http://127.0.0.1:${server.address().port}`))
