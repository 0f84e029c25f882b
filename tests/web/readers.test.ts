// Readers forgive: what is whole is used, whatever stands around it. The shapes are those of public reports, the texts ours.
import { expect, describe, test } from '@jest/globals'
import { generic } from '../../web/standard/providers/index.js'
import { openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { chunk, done, failureOf, generate, withScript } from './call.js'

const usage = { prompt_tokens: 5, completion_tokens: 2 }
const [hel, lo] = [chunk({ content: 'hel' }), chunk({ content: 'lo' }, 'stop', { usage })]

const playing =
  (parts: readonly string[], type = 'text/event-stream'): Script =>
  async (out) => {
    if (type === 'text/event-stream') openStream(out)
    else out.writeHead(200, { 'content-type': type })
    await writeParts(out, parts)
    out.end()
  }
const ask = (script: Script, stream = true) =>
  withScript(script, (server) => generate(server.url, { dialect: generic }, { stream }))

describe('between the pieces', () => {
  test.each([
    ['empty data', 'data:\n\n'],
    ['blank data', 'data:   \n\n'],
    ['null', 'data: null\n\n'],
    ['a ping as a word', 'data: ping\n\n'],
    ['a ping of a type', 'data: {"type":"ping"}\n\n'],
    ['a named ping without JSON', 'event: keepalive\ndata: 1712 x\n\n'],
    ['fields only', 'id: 7\nretry: 3000\n\n'],
    ['a comment', ': still here\n\n'],
    ['a chunk of another answer', chunk({}, null, { choices: [{ index: 1, delta: { content: 'XX' } }] })],
  ])('%s is no part of the answer', async (_, beat) => {
    expect(await ask(playing([beat, hel, beat, beat, lo, beat, done]))).toMatchObject({ text: 'hello', finish: 'stop' })
  })
})

describe('after the finish', () => {
  test.each([
    ['[DONE] and a blank', ['data: [DONE] \n\n']],
    ['empty data', ['data: \n\n']],
    ['an error', ['data: {"error":{"message":"upstream closed","code":500}}\n\n']],
    ['half an event', ['data: {"cho']],
    ['a line that is no JSON', ['data: bye\n\n', done]],
    ['nothing', []],
  ])('%s takes nothing from it', async (_, tail) => {
    expect(await ask(playing([hel, lo, ...tail]))).toMatchObject({ text: 'hello', usage: { input: 5, output: 2 } })
  })
})

describe('the media type says little', () => {
  const whole = JSON.stringify({ choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }], usage })
  test.each([
    ['events as JSON', [hel, lo, done], 'application/json'],
    ['events as plain text', [hel, lo, done], 'text/plain'],
    ['events as a page', [hel, lo, done], 'text/html'],
    ['events after blank lines', ['\n\n', hel, lo, done], 'application/octet-stream'],
    ['JSON as events', [whole], 'text/event-stream'],
    ['JSON in pieces', [whole.slice(0, 9), whole.slice(9)], 'text/event-stream'],
    ['JSON after blank lines', ['\n \n', whole], 'text/event-stream'],
    ['JSON after a byte order mark', ['\uFEFF', whole], 'application/json'],
  ])('%s', async (_, parts, type) => {
    for (const stream of [true, false])
      expect(await ask(playing(parts, type), stream)).toMatchObject({ text: 'hello', finish: 'stop' })
  })

  test('events that one line end sets apart', async () => {
    const parts = [hel, lo, done].map((part) => part.replace(/\n\n$/, '\n'))
    expect(await ask(playing([...parts, '\n']))).toMatchObject({ text: 'hello' })
  })

  test('a whole reply without a finish reason is whole, half of one is not', async () => {
    const open = whole.replace('"stop"', 'null')
    expect(await ask(playing([open], 'application/json'))).toMatchObject({ text: 'hello', finish: 'stop' })
    expect(await failureOf(ask(playing([open.slice(0, -9)], 'application/json')))).toMatchObject({ kind: 'truncated' })
  })

  test('a page is none of them', async () => {
    for (const type of ['text/html', 'text/event-stream'])
      expect(await failureOf(ask(playing(['<!doctype html><p>hi'], type)))).toMatchObject({
        kind: 'malformed',
        message: 'the reply was an HTML page',
      })
  })
})

describe('an error where an answer was expected', () => {
  test.each([
    ['a bare object', { code: 'InvalidParameter', message: 'The purse is bare' }, 'server_error', 'The purse is bare'],
    ['a detail', { detail: 'Rate limit reached' }, 'rate_limited', 'Rate limit reached'],
    ['a typed one', { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } }, 'overloaded', 'Busy'],
    ['a text', { error: 'the model is overloaded, try later' }, 'overloaded', 'try later'],
    ['a list', { errors: [{ message: 'no room today' }] }, 'server_error', 'no room today'],
    ['in the choice', { choices: [{ error: { code: 429, message: 'slow down' } }] }, 'rate_limited', 'slow down'],
    ['of MiniMax', { base_resp: { status_code: 1008, status_msg: 'nothing left' } }, 'server_error', 'nothing left'],
  ])('%s: kind and words', async (_, body, kind, words) => {
    const event = `data: ${JSON.stringify(body)}\n\n`
    const failure = await failureOf(ask(playing([hel, event])))
    expect(failure).toMatchObject({ kind })
    expect(failure.message).toContain(words)
  })

  test('an envelope of success beside an answer is none', async () => {
    const fine = chunk({ content: 'lo' }, 'stop', { usage, base_resp: { status_code: 0, status_msg: '' } })
    expect(await ask(playing([hel, fine, done]))).toMatchObject({ text: 'hello' })
  })
})

describe('thought is no answer', () => {
  test.each([
    ['a block before it', ['<think>\nLet me see.\n</think>\n\nHello']],
    ['cut anywhere', ['<th', 'ink>Let me', ' see</thi', 'nk>', '\n', '\nHello']],
    ['twice', ['<think>a</think>\n<thinking>b</thinking>\nHello']],
    ['an empty one', ['<think>', '</think>\n\n', 'Hello']],
    ['of Kimi', ['◁think▷a◁/think▷Hello']],
    ['without its beginning', ['Let me see.\n</think>\n\nHello']],
  ])('%s is cut out', async (_, pieces) => {
    const parts = pieces.map((content) => chunk({ content }))
    const reply = await ask(playing([...parts, chunk({}, 'stop'), done]))
    expect(reply.text).toBe('Hello')
  })

  test.each([
    'Hello <think> is a tag',
    'Write `</think>`\nat the end',
    '```\na</think>\n```\n',
    '<thin ice',
    '  two blanks',
    '<th',
  ])('%s is left alone', async (text) => {
    const pieces: string[] = []
    const parts = [...text].map((content) => chunk({ content }))
    const reply = await withScript(playing([...parts, chunk({}, 'stop'), done]), (server) =>
      generate(server.url, { dialect: generic }, {}, { text: (piece) => pieces.push(piece) }),
    )
    expect([reply.text, pieces.join('')]).toEqual([text, text])
  })

  test('one that is never closed was all thought, and counts', async () => {
    const parts = [chunk({ content: `<think>${'hm '.repeat(100)}` }), chunk({}, 'stop'), done]
    expect(await failureOf(ask(playing(parts)))).toMatchObject({ kind: 'generation_failed', usage: { reasoning: 75 } })
  })

  test.each(['reasoning_content', 'reasoning', 'thinking', 'reasoning_text', 'thought'])(
    '%s is a first token, and is estimated where nobody counts it',
    async (name) => {
      const order: string[] = []
      const parts = [chunk({ [name]: 'x'.repeat(40) }), chunk({ content: 'Hi' }, 'stop'), done]
      const reply = await withScript(playing(parts), (server) =>
        generate(
          server.url,
          { dialect: generic },
          {},
          { firstToken: () => order.push('first'), text: (t) => order.push(t) },
        ),
      )
      expect(reply).toMatchObject({ text: 'Hi', reasoned: 10 })
      expect(order).toEqual(['first', 'Hi'])
    },
  )
})
