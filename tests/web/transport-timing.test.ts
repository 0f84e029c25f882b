import { expect, test } from '@jest/globals'
import { connectionFromTiming } from '../../web/standard/transport/timing.js'

const url = 'https://api.test/v1/chat/completions'
const fresh = { startTime: 100, domainLookupStart: 101, connectStart: 110, connectEnd: 150, requestStart: 151 }
const reused = { startTime: 300, domainLookupStart: 300, connectStart: 300, connectEnd: 300, requestStart: 302 }
/** What a browser says of a host that does not allow its times to be read. */
const hidden = { startTime: 500, domainLookupStart: 0, connectStart: 0, connectEnd: 0, requestStart: 0 }

const source = (...entries: object[]) => ({
  getEntriesByName: (name: string, type: string) => (name === url && type === 'resource' ? entries : []),
})

test.each([
  ['a new connection: name, connection and TLS', [fresh], { reused: false, setupMs: 49 }],
  ['one that was there', [fresh, reused], { reused: true, setupMs: 0 }],
  ['times that the host does not show', [hidden], undefined],
  ['no entry yet', [], undefined],
  ['entries of another kind', [{ startTime: 1 }], undefined],
])('%s', (_, entries, expected) => expect(connectionFromTiming(source(...entries), url)).toEqual(expected))

test('a request before the moment that is asked for is another one', () => {
  expect(connectionFromTiming(source(fresh), url, 101)).toBeUndefined()
  expect(connectionFromTiming(source(fresh, reused), url, 250)).toEqual({ reused: true, setupMs: 0 })
})

test('the platform`s own performance is such a source', () => {
  expect(connectionFromTiming(performance, url)).toBeUndefined()
})
