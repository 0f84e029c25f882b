import { expect, test } from '@jest/globals'
import { allowedHeaders, corsRule, unansweredWords } from '../../web/standard/providers/cors.js'
import { dialects } from '../../web/standard/providers/clients.js'

const sent = { authorization: 'a', 'x-goog-api-key': 'b', 'content-type': 'c', 'idempotency-key': 'd' }

test.each([
  ['openai', Object.keys(sent)],
  ['groq', Object.keys(sent)],
  ['deepseek', Object.keys(sent)],
  ['mistral', ['authorization', 'content-type']],
  ['gemini', ['x-goog-api-key', 'content-type']],
  ['generic', ['authorization', 'x-goog-api-key', 'content-type']],
  ['__proto__', ['authorization', 'x-goog-api-key', 'content-type']],
])('%s may be sent %j', (dialect, names) => {
  expect(Object.keys(allowedHeaders(corsRule(dialect), sent))).toEqual(names)
})

test('every wire format but those of generic and local hosts is known, and one hides its refusals', () => {
  const known = Object.keys(dialects).filter((name) => corsRule(name).known)
  expect(known.sort()).toEqual(
    Object.keys(dialects)
      .filter((name) => name !== 'generic' && name !== 'lmstudio')
      .sort(),
  )
  const hidden = Object.keys(dialects).filter((name) => corsRule(name).hidesRefusedKeys)
  expect(hidden).toEqual(['openai'])
  expect(unansweredWords(corsRule('openai'))).toContain('wrong key')
  expect(unansweredWords(corsRule('generic'))).toContain('CORS')
})
