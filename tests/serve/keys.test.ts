/** The file of a server's keys: money of a tenant is stated by all of its keys alike. */
import { chmod, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { OwnBook } from '../../node/serve/own-book.js'
import type { Asked } from '../../node/serve/accounts.js'
import { readKeys } from '../../node/serve/keys.js'
import { Spending } from '../../node/serve/spending.js'
import { scratch } from '../node/cli-process.js'

let folder: string
let remove: () => void
beforeEach(() => void ({ folder, remove } = scratch()))
afterEach(() => remove())

const key = (name: string, more: object) => ({ name, token: `afk_0123456789abcdef_${name}`, ...more })

async function read(keys: readonly object[]) {
  const file = path.join(folder, 'serve-keys.json')
  await writeFile(file, JSON.stringify({ keys }))
  await chmod(file, 0o600)
  return readKeys(file)
}

test('the budget of a tenant is stated by all of its keys, or by none', async () => {
  const [both, one] = [{ tenant: 't', tenantBudgetUsdPerDay: 2 }, { tenant: 't' }]
  await expect(read([key('a', both), key('b', both), key('c', {})])).resolves.toMatchObject({ made: false })
  for (const other of [one, { ...both, tenantBudgetUsdPerDay: 3 }])
    await expect(read([key('a', both), key('b', other)])).rejects.toMatchObject({ code: 'host.config' })
  // A key without a tenant is one by its own name.
  await expect(read([key('t', {}), key('b', both)])).rejects.toMatchObject({ code: 'host.config' })
  await expect(read([key('a', { ...both, tenantBudgetUsdPerDay: 0 })])).rejects.toMatchObject({ code: 'host.config' })
})

test('one server: the keys of a tenant spend its money together, also after a restart', async () => {
  const clock = { now: () => 0, after: () => () => undefined }
  const asked = (id: string, microUsd: number): Asked => ({ id, kind: 'request', tokens: 1, microUsd })
  const tenant = { tenant: 't', tenantBudgetUsdPerDay: 0.001 }
  const [a, b] = [key('a', { ...tenant, budgetUsdPerDay: 0.0005 }), key('b', tenant)]
  const before = await Spending.open(folder)
  const book = new OwnBook(clock, before)
  expect(book.decide(a, asked('1', 600))).toMatchObject({ microUsd: 500 })
  expect(book.decide(b, asked('2', 600))).toMatchObject({ refused: 'held' })
  book.leave(a, asked('1', 600), { tokens: 1, microUsd: 400 })
  await before.close()
  const again = new OwnBook(clock, await Spending.open(folder))
  expect(again.decide(b, asked('3', 600))).toMatchObject({ microUsd: 600 })
  expect(again.decide(a, asked('4', 50))).toMatchObject({ refused: 'held' })
  again.leave(b, asked('3', 600), { tokens: 1, microUsd: 600 })
  expect(again.decide(a, asked('5', 50))).toMatchObject({ refused: 'spent' })
})
