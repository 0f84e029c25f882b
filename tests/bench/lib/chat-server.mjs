// A chat-completions server on loopback in a process of its own, so that its work is on another core than what is measured.
//   node chat-server.mjs       prints {"port":…} and ends with its standard input
// It answers every request at once and the same: what is measured is the client. `stream` in the request chooses the form.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const words = 'The lighthouse stands on a rock above the harbour and its lamp turns once in ten seconds.'.split(' ')
const usage = { prompt_tokens: 1024, completion_tokens: words.length, total_tokens: 1024 + words.length }
/** Every client's answer, which the contestants check. */
export const answer = words.join(' ')

const common = { id: 'chatcmpl-bench', created: 1_790_000_000, model: 'bench' }
const whole = JSON.stringify({
  ...common,
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
  usage,
})
const chunk = (delta, finish_reason = null, more = {}) =>
  `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`
const stream = [
  chunk({ role: 'assistant', content: '' }),
  ...words.map((word, at) => chunk({ content: at === 0 ? word : ` ${word}` })),
  chunk({}, 'stop', { usage }),
  'data: [DONE]\n\n',
].join('')

function serve() {
  const server = createServer((request, reply) => {
    const parts = []
    request.on('data', (part) => parts.push(part))
    request.on('end', () => {
      const asked = Buffer.concat(parts)
      const streamed = asked.includes('"stream":true')
      reply.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' })
      // A stream that begins, and never goes on.
      if (streamed && asked.includes('"HOLD"')) return reply.write(chunk({ role: 'assistant', content: 'held' }))
      reply.end(streamed ? stream : whole)
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
  process.stdin.on('end', () => process.exit(0)).resume()
}

/** Starts it: `{ url, close }`. */
export async function startChatServer() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = await new Promise((resolve, reject) => {
    child.stdout.once('data', (bytes) => resolve([String(bytes)]))
    child.once('error', reject)
  })
  return { url: `http://127.0.0.1:${JSON.parse(line).port}`, close: () => child.stdin.end() }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve()
