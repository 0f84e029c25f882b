/**
 * The limits on a server decide as those of one process do: seeded schedules of what runs ask and tell, played on both, equal in every
 * decision and in whom they tell of room. AETHERFLOW_LIMIT_SCHEDULES sets their number (`npm run test:limits`: 100,000).
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { failureKinds, limitWindows, refusals } from '../../bindings/generated/wire.js'
import type { SharedAuthority } from '../../bindings/module.js'
import { isFinal, isUnwell } from '../../node/redis/failures.js'
import { loadLimits } from '../../node/loader.js'
import { limitsScript } from '../../node/redis/limits-script.js'
import type { RedisArgument, RedisLink } from '../../node/redis/link.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { RedisServer, withRedis } from './redis-server.js'

const schedules = Number(process.env['AETHERFLOW_LIMIT_SCHEDULES'] ?? 300)
jest.setTimeout(60_000 + schedules * 500)

/** What was asked, what one process decided, and what the server's reply should be. */
interface Step {
  readonly words: string
  readonly reply: Promise<unknown>
  readonly expected: { readonly said: readonly (string | number)[]; readonly freed: readonly string[] }
}

/** Far away, so that the server's own clock ends nothing. */
const dawn = 4e12
const names = ['deepseek 0a', 'groq 1b']

class Schedule {
  readonly steps: Step[] = []
  readonly #random: () => number
  readonly #one: SharedAuthority
  readonly #link: RedisLink
  readonly #base: string
  #now = dawn
  #members = 0
  #calls = 0
  /** The server's name of each member → the module's number. */
  readonly #here = new Map<string, number>()
  readonly #open: { member: string; call: number; tokens: number }[] = []

  constructor(seed: number, one: SharedAuthority, link: RedisLink) {
    this.#random = seeded(seed)
    this.#one = one
    this.#link = link
    this.#base = `{s${seed}}:limits`
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n)
  }
  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)] as T
  }

  play(): void {
    this.#join()
    for (let step = 0; step < 60; step += 1) {
      this.#now += this.#pick([0, 1, 7, 150, 1000, 5000, 61_000])
      const what = this.#random()
      if (this.#here.size === 0 || what < 0.06) this.#join()
      else if (what < 0.5) this.#ask()
      else if (what < 0.78) this.#settle()
      else if (what < 0.85) this.#arrived()
      else if (what < 0.92) this.#seen()
      else if (what < 0.97) this.#say('tick', [], () => this.#one.tick(this.#now))
      else this.#leave()
    }
  }

  #say(op: string, values: readonly RedisArgument[], work: () => (string | number)[] | void): void {
    const all = [op, 'owner', this.#now, ...values]
    const reply = this.#link.send('EVALSHA', limitsScript.sha, 1, this.#base, ...all)
    const said = work() ?? []
    const freed: string[] = []
    for (let member = this.#one.takeFreed(); member >= 0; member = this.#one.takeFreed()) {
      const [id] = [...this.#here].find(([, number]) => number === member) ?? ['?']
      freed.push(`${id} ${names[this.#one.freedGroup()]}`)
    }
    this.steps.push({ words: all.join(' '), reply, expected: { said, freed: freed.sort() } })
  }

  #join(): void {
    const id = `m${(this.#members += 1)}`
    const stated: RedisArgument[] = []
    this.#say('join', [1e12, id, '', 'born', ...this.#limits(stated)], () => {
      const number = this.#one.join()
      const narrowed: string[] = []
      for (let group = 0; group < names.length; group += 1) {
        const [name, ...rest] = stated.slice(group * 9, group * 9 + 9) as [string, ...number[]]
        const [places, most0, most1, most2, most3, failures, openMs, maxOpenMs] = rest as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ]
        this.#one.group(number, name, places, most0, most1, most2, most3, failures, openMs, maxOpenMs)
        if (this.#one.narrowed()) narrowed.push(name)
      }
      this.#here.set(id, number)
      return narrowed
    })
  }

  #limits(stated: RedisArgument[]): RedisArgument[] {
    for (const name of names)
      stated.push(
        ...[name, this.#pick([0, 1, 2, 5]), this.#pick([-1, 3, 8]), this.#pick([-1, 500, 2000])],
        ...[this.#pick([-1, 20]), this.#pick([-1, 5000]), this.#pick([0, 2, 5]), 10_000, 60_000],
      )
    return stated
  }

  #ask(): void {
    const member = this.#pick([...this.#here.keys()])
    const [group, call] = [this.#below(names.length), (this.#calls += 1)]
    const [tokens, priority] = [this.#pick([1, 50, 200, 600, 3000]), this.#pick([0, 0, 0, 1, 5])]
    const again = this.#random() < 0.03
    this.#say('ask', [member, call, names[group]!, tokens, priority, again ? '1' : '0'], () => {
      const number = this.#here.get(member)!
      const refused = this.#one.ask(number, call, group, tokens, priority, again, this.#now)
      if (refused >= 0) return [refusals[refused] ?? '', this.#one.window(), this.#one.until()]
      this.#open.push({ member, call, tokens })
      return ['', -1, -1]
    })
  }

  #settle(): void {
    const [live] = this.#open.splice(this.#below(this.#open.length), 1)
    if (live === undefined) return
    const { member, call, tokens } = live
    const kind = this.#pick([-1, -1, -1, ...failureKinds.keys()])
    const [sent, wait] = [this.#random() < 0.9, this.#pick([-1, -1, -1, 0, 3000])]
    const used = this.#below(tokens + 1)
    const { unwell, final } = rules[kind] ?? { unwell: false, final: true }
    const told = [sent ? '1' : '0', kind < 0 ? '1' : '0', unwell ? '1' : '0', final ? -1 : wait]
    this.#say('settle', [member, call, used, ...told], () =>
      this.#one.settle(this.#here.get(member) ?? -1, call, used, sent, kind < 0, kind, wait, this.#now),
    )
  }

  #arrived(): void {
    if (this.#open.length === 0) return
    const { member, call } = this.#pick(this.#open)
    this.#say('arrived', [member, call], () => this.#one.arrived(this.#here.get(member)!, call, this.#now))
  }

  #seen(): void {
    const [group, window] = [this.#below(names.length), this.#below(limitWindows.length)]
    const [limit, remaining, resetMs] = [
      this.#pick([-1, 4, 700]),
      this.#pick([-1, 0, 2, 300]),
      this.#pick([-1, 2000, 90_000]),
    ]
    this.#say('seen', [names[group]!, window, limit, remaining, resetMs], () =>
      this.#one.seen(group, window, limit, remaining, resetMs, this.#now),
    )
  }

  #leave(): void {
    const member = this.#pick([...this.#here.keys()])
    const number = this.#here.get(member)!
    for (let at = this.#open.length - 1; at >= 0; at -= 1)
      if (this.#open[at]!.member === member) this.#open.splice(at, 1)
    this.#say('leave', [member], () => {
      this.#one.leave(number, this.#now)
      this.#here.delete(member)
    })
  }
}

/** As RedisAuthority tells the server of a failure. */
const rules = failureKinds.map((kind) => ({ unwell: isUnwell(kind), final: isFinal(kind) }))

withRedis('limits on a server and in one process', () => {
  const server = new RedisServer()
  let link: RedisLink
  beforeAll(async () => {
    await server.start()
    link = await server.link({ timeoutMs: 60_000 })
    await link.send('SCRIPT', 'LOAD', limitsScript.lua)
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  test(`${schedules} schedules: equal decisions, and equal words to those who wait`, async () => {
    const module = await loadLimits()
    let refused = 0
    let told = 0
    let narrowed = 0
    const played = (seed: number): Schedule => {
      const one = new module.SharedAuthority()
      const schedule = new Schedule(seed, one, link)
      schedule.play()
      ;(one as unknown as { delete(): void }).delete()
      return schedule
    }
    let next = played(1)
    for (let seed = 1; seed <= schedules; seed += 1) {
      const schedule = next
      // The server has work while the replies to this one are read.
      next = played(seed + 1)
      for (const { words, reply, expected } of schedule.steps) {
        const rows = (await reply) as unknown[]
        const freed = pairs(rows.at(-1) as string[])
        const said = saidOf(words, rows)
        narrowed += words.startsWith('join') ? said.length : 0
        if (JSON.stringify({ said, freed }) !== JSON.stringify(expected))
          throw new Error(
            `seed ${seed}, ${words}: ${JSON.stringify({ said, freed })}, expected ${JSON.stringify(expected)}`,
          )
        refused += words.startsWith('ask') && said[0] !== '' ? 1 : 0
        told += freed.length
      }
      await forget(link, seed)
    }
    // Both were really at their limits.
    expect(Math.min(refused, told, narrowed)).toBeGreaterThan(schedules)
  })
})

/** The keys of a schedule that is over. */
async function forget(link: RedisLink, seed: number): Promise<void> {
  const names = (await link.send('KEYS', `{s${seed}}:*`)) as string[]
  await link.send('UNLINK', ...names)
}

/** What the server said to anyone who asked. */
function saidOf(words: string, rows: readonly unknown[]): readonly (string | number)[] {
  if (words.startsWith('ask')) return [rows[1] as string, rows[2] as number, Number(rows[3])]
  return words.startsWith('join') ? (rows[2] as string[]) : []
}

function pairs(flat: readonly string[]): string[] {
  const found: string[] = []
  for (let at = 0; at < flat.length; at += 2) found.push(`${flat[at]} ${flat[at + 1]}`)
  return found.sort()
}
