/** The page's cookie: it holds at every server with the same key, for half a day, and is nothing that anybody could make. */
import { expect, test } from '@jest/globals'
import type { IncomingMessage } from 'node:http'
import { Accounts } from '../../node/serve/accounts.js'
import { OwnBook } from '../../node/serve/own-book.js'
import { SignIn } from '../../node/serve/sign-in.js'
import { Spending } from '../../node/serve/spending.js'

const clock = { now: () => 0, after: () => () => undefined }
const key = { name: 'front é', token: 'afk_test_0123456789abcdef' }

test('a session holds at every server that has the key, until it ends, and no other does', async () => {
  let now = 1e12
  const book = new OwnBook(clock, await Spending.open(undefined))
  const signIn = (...keys: (typeof key)[]) => {
    const accounts = new Accounts(keys, book)
    return { accounts, signIn: new SignIn(accounts, clock, undefined, () => now) }
  }
  const one = signIn(key)
  const code = one.signIn.link(one.accounts.all[0]!).split('code=')[1] ?? ''
  const [cookie = ''] = one.signIn.use(code)?.split(';') ?? []
  expect(one.signIn.use(code)).toBeUndefined()
  const nameAt = (place: { signIn: SignIn }, text: string): string | undefined =>
    place.signIn.accountOf({ headers: { cookie: text } } as IncomingMessage)?.key.name
  const another = signIn({ name: 'x', token: 'afk_other' }, key)
  for (const place of [one, another]) expect(nameAt(place, `a=b; ${cookie}`)).toBe(key.name)
  expect(nameAt(signIn({ ...key, token: 'afk_another' }), cookie)).toBeUndefined()
  const [name = '', until = '', seal = ''] = cookie.split('.')
  const forged = [
    `${name}.${Number(until) + 1}.${seal}`,
    `${name}.9e99.${seal}`,
    `${name}.${until}.`,
    name,
    `${cookie}x`,
  ]
  for (const text of forged) expect([text, nameAt(one, text)]).toEqual([text, undefined])
  now += 12 * 60 * 60_000
  expect(nameAt(another, cookie)).toBe(key.name)
  now += 1
  expect(nameAt(another, cookie)).toBeUndefined()
})
