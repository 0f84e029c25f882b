import { describe, expect, test } from '@jest/globals'
import { fetchTransport } from '../../web/standard/transport/transport.js'
import { requestTo, transportContract } from '../contract/transport.js'

transportContract(() => ({
  transport: fetchTransport((input, init) => fetch(input, init)),
  close: () => Promise.resolve(),
}))

describe('what is asked of fetch', () => {
  test('no redirects, no credentials, nothing but what was given', async () => {
    let seen: RequestInit | undefined
    const transport = fetchTransport((_, init) => {
      seen = init
      return Promise.resolve(new Response('x'))
    })
    await transport.send(requestTo('https://a.test/'))
    expect(seen).toMatchObject({ method: 'POST', body: 'hello', redirect: 'manual', credentials: 'omit' })
    expect(Object.keys(seen!).sort()).toEqual(['body', 'credentials', 'headers', 'method', 'redirect', 'signal'])
  })

  test('a redirect that a page hides has status 0', async () => {
    const hidden = Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' })
    const reply = await fetchTransport(() => Promise.resolve(hidden)).send(requestTo('https://a.test/'))
    expect(reply.status).toBe(0)
    expect(await reply.body.read()).toBeUndefined()
  })
})
