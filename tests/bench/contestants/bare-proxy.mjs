// The least that something between a client and a provider can do: every request is read whole and sent on, its answer passed through.
//   node bare-proxy.mjs PROVIDER       prints its address
import { createServer } from 'node:http'
import { Agent, request } from 'undici'

const [provider] = process.argv.slice(2)
const dispatcher = new Agent({ connections: 64, keepAliveTimeout: 60_000 })
const server = createServer(async (incoming, reply) => {
  const parts = []
  for await (const part of incoming) parts.push(part)
  const { statusCode, headers, body } = await request(`${provider}${incoming.url.slice(3)}`, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json' },
    body: Buffer.concat(parts),
  })
  reply.writeHead(statusCode, { 'content-type': headers['content-type'] })
  body.pipe(reply)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/v1`))
