/**
 * A provider in a process of its own, so that it outlives the runs that are killed. It answers each step with a text of its
 * own, always the same, and keeps a ledger of what it was asked: the oracle for "called once".
 *
 *   POST /v1/chat/completions    the answer, streamed or whole, after a short while
 *   GET  /ledger                 [{"step","key"}], in the order of arrival
 *   POST /clear                  forgets it
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

let ledger: { step: string; key: string | undefined }[] = []

const server = createServer(async (request, reply) => {
  let body = ''
  for await (const part of request) body += String(part)
  if (request.url === '/ledger') return void reply.end(JSON.stringify(ledger))
  if (request.url === '/clear') {
    ledger = []
    return void reply.end()
  }
  const { messages, stream, model } = JSON.parse(body) as {
    messages: { content: string }[]
    stream?: boolean
    model: string
  }
  // The task stands last: what other steps were asked may stand in an output before it.
  const named = [
    ...messages
      .map(({ content }) => content)
      .join('\n')
      .matchAll(/STEP-([\w-]+)/g),
  ]
  const step = named.at(-1)?.[1] ?? '?'
  ledger.push({ step, key: request.headers['idempotency-key'] as string | undefined })
  const size = [...step].reduce((sum, character) => sum + character.charCodeAt(0), 0)
  // Uneven, so that steps end apart from each other as well as together.
  setTimeout(() => answer(reply, step, model, stream === true, size), 3 + (size % 5) * 4)
})

function answer(reply: ServerResponse, step: string, model: string, stream: boolean, size: number): void {
  const text = `The answer of ${step}: ${`${step} – äöü 漢字 `.repeat(5 + (size % 40))}`
  const usage = { prompt_tokens: 100 + (size % 50), completion_tokens: 40 + (size % 30), total_tokens: 0 }
  const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model }
  if (!stream) {
    const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }]
    reply.setHeader('content-type', 'application/json')
    return void reply.end(JSON.stringify({ ...chunk, object: 'chat.completion', choices, usage }))
  }
  reply.setHeader('content-type', 'text/event-stream')
  const half = text.length >> 1
  for (const content of [text.slice(0, half), text.slice(half)]) {
    const choices = [{ index: 0, delta: { content }, finish_reason: null }]
    reply.write(`data: ${JSON.stringify({ ...chunk, choices })}\n\n`)
  }
  reply.write(`data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n`)
  reply.write(`data: ${JSON.stringify({ ...chunk, choices: [], usage })}\n\n`)
  reply.end('data: [DONE]\n\n')
}

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
