/**
 * Runs on a Redis server: the journal as one growing value, its owner by a lease, and an epoch that every write is checked against, so that
 * an owner that was taken for gone writes nothing any more. Names of its keys: run-keys.ts.
 */
import { randomBytes } from 'node:crypto'
import { AetherflowError } from '../../bindings/errors.js'
import type { JournalHeader, JournalWriter } from '../../bindings/journal/journal.js'
import type { JournalEnd } from '../../bindings/journal/reader.js'
import { JournalQueue } from '../../web/standard/run/journal-queue.js'
import { KeptJournal, textUpTo, type OwnedRun, type RunStore } from '../../web/standard/run/run-store.js'
import { messageOf, redisScript, runScript, type RedisArgument, type RedisLink } from './link.js'
import { RunKeys } from './run-keys.js'

export interface RedisRunStoreOptions {
  /** What the names of its keys begin with. Default `aetherflow`. */
  readonly prefix?: string | undefined
  /** So long after its last sign of life another may take the run, ms. Default 10000. */
  readonly leaseMs?: number | undefined
  /** A journal that nobody writes to any more goes after so long, ms. Default: never. */
  readonly keepMs?: number | undefined
}

/** KEYS: lease, head. ARGV: name, ms. → the epoch, or 0 when another owner lives. */
const takeScript = redisScript(`
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 0 end
redis.call('HSET', KEYS[2], 'owner', ARGV[1])
return redis.call('HINCRBY', KEYS[2], 'epoch', 1)
`)

/** KEYS: lease, head. ARGV: name, ms; ms 0 lets go. → whether it was still its own. */
const renewScript = redisScript(`
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
local there = redis.call('GET', KEYS[1])
if there and there ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
`)

/**
 * KEYS: head, journal, other journal. ARGV: epoch, what, text, name of the other. begin: in place of what is there; append; keep: a copy
 * beside it; drop. → the version, or −1 when the epoch is another's.
 */
const writeScript = redisScript(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return -1 end
if ARGV[2] == 'append' then
  if redis.call('EXISTS', KEYS[2]) == 0 then return -1 end
  redis.call('APPEND', KEYS[2], ARGV[3])
elseif ARGV[2] == 'begin' then redis.call('SET', KEYS[2], ARGV[3])
elseif ARGV[2] == 'keep' then redis.call('COPY', KEYS[2], KEYS[3])
else redis.call('DEL', KEYS[2]) end
return redis.call('HINCRBY', KEYS[1], 'version', 1)
`)

export const defaultLeaseMs = 10_000

export class RedisRunStore implements RunStore {
  readonly name: string
  readonly #link: RedisLink
  readonly #keys: RunKeys
  readonly #options: RedisRunStoreOptions
  #read: { readonly version: string; readonly kept: KeptJournal } | undefined

  /** `run`: names it on the server; letters, digits, `-` and `_`. Throws host.usage. */
  constructor(link: RedisLink, run: string, options: RedisRunStoreOptions = {}) {
    if (!/^[\w-]{1,128}$/.test(run))
      throw new AetherflowError('host.usage', 'run', 'a name of letters, digits, - and _, at most 128')
    this.#link = link
    this.#options = options
    this.#keys = new RunKeys(run, options.prefix)
    this.name = `${link.name} ${run}`
  }

  async peek(): Promise<KeptJournal | undefined> {
    return told(this.name, async () => {
      const version = await this.#link.send('HGET', this.#keys.head, 'version')
      if (this.#read !== undefined && this.#read.version === version) return this.#read.kept
      // What is written between the two is read by the next.
      const bytes = await this.#link.sendForBytes('GET', this.#keys.journal)
      if (!(bytes instanceof Uint8Array)) return undefined
      const kept = new KeptJournal(bytes, this.name)
      this.#read = { version: String(version), kept }
      return kept
    })
  }

  /** Whether somebody has it now, or was heard of within his lease. Fails: host.io_failed. */
  async owned(): Promise<boolean> {
    return (await told(this.name, () => this.#link.send('EXISTS', this.#keys.lease))) === 1
  }

  async open(): Promise<OwnedRedisRun> {
    const owner = randomBytes(8).toString('hex')
    const { leaseMs = defaultLeaseMs } = this.#options
    const { lease, head } = this.#keys
    const epoch = await told(this.name, () => runScript(this.#link, takeScript, [lease, head], [owner, leaseMs]))
    if (epoch === 0)
      throw new AetherflowError('host.run_locked', this.name, 'another process owns this run, or did until just now')
    const owned = new OwnedRedisRun(this.#link, this.#keys, {
      ...this.#options,
      name: this.name,
      owner,
      epoch: Number(epoch),
    })
    try {
      owned.kept = await this.peek()
      return owned
    } catch (error) {
      await owned.close()
      throw error
    }
  }
}

interface Ownership extends RedisRunStoreOptions {
  readonly name: string
  readonly owner: string
  readonly epoch: number
}

/** A run on the server that this process owns. */
export class OwnedRedisRun implements OwnedRun {
  kept: KeptJournal | undefined
  readonly #link: RedisLink
  readonly #keys: RunKeys
  readonly #mine: Ownership
  #writer: RedisJournal | undefined
  #timer: NodeJS.Timeout | undefined
  #over = false

  constructor(link: RedisLink, keys: RunKeys, mine: Ownership) {
    this.#link = link
    this.#keys = keys
    this.#mine = mine
    this.#renewLater()
  }

  /** Every write of the run's owner is checked against it. */
  get epoch(): number {
    return this.#mine.epoch
  }

  #renewLater(): void {
    const { leaseMs = defaultLeaseMs } = this.#mine
    this.#timer = setTimeout(() => {
      // A server that is away takes nothing from the run: its writes tell, if another has it by then.
      this.#renew(leaseMs)
        .catch(() => 1)
        .then((still) => (this.#over ? undefined : still === 0 ? this.#writer?.lost() : this.#renewLater()))
    }, leaseMs / 3)
    this.#timer.unref()
  }

  #renew(ms: number): Promise<unknown> {
    return runScript(this.#link, renewScript, [this.#keys.lease, this.#keys.head], [this.#mine.owner, ms])
  }

  begin(_header: JournalHeader, firstLine: string): Promise<JournalWriter> {
    return this.#start(firstLine)
  }

  resume(end: JournalEnd): Promise<JournalWriter> {
    return this.#start(this.kept === undefined ? '' : textUpTo(this.kept, end))
  }

  async #start(text: string): Promise<JournalWriter> {
    await this.#write('begin', text)
    this.#writer = new RedisJournal((lines) => this.#write('append', lines), this.#mine.name)
    return this.#writer
  }

  /** Fails: host.run_locked when the run is another's by now, host.io_failed. */
  async #write(what: string, text: string, other = ''): Promise<void> {
    const { name, epoch, keepMs } = this.#mine
    await told(name, async () => {
      const keys = [this.#keys.head, this.#keys.journal, this.#keys.aside(other)]
      const version = await runScript(this.#link, writeScript, keys, [epoch, what, text] satisfies RedisArgument[])
      if (version === -1) throw lostTo(name)
      if (keepMs !== undefined)
        for (const key of keys.slice(0, 2)) void this.#link.send('PEXPIRE', key, keepMs).catch(() => undefined)
    })
  }

  async setAside(): Promise<string> {
    const number = await told(this.#mine.name, () => this.#link.send('HINCRBY', this.#keys.head, 'asides', 1))
    const name = `journal-${String(number)}`
    await this.#write('keep', '', name)
    return name
  }

  async aside(name: string): Promise<KeptJournal | undefined> {
    // Only names that were given: what is in a journal is no key.
    if (!/^journal-\d{1,9}$/.test(name)) return undefined
    const bytes = await told(this.#mine.name, () => this.#link.sendForBytes('GET', this.#keys.aside(name)))
    return bytes instanceof Uint8Array ? new KeptJournal(bytes, `${this.#mine.name} ${name}`) : undefined
  }

  /** Writes what is still to be written, and keeps the run. */
  async settle(): Promise<void> {
    await this.#writer?.close()
  }

  /** `settle`, and removes the journal. */
  async drop(): Promise<void> {
    await this.settle()
    if (!this.#over) await this.#write('drop', '').catch(() => undefined)
  }

  async close(): Promise<void> {
    await this.settle()
    await this.#letGo()
  }

  async discard(): Promise<void> {
    await this.drop()
    await this.#letGo()
  }

  async #letGo(): Promise<void> {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    // If it does not get through, the lease ends by itself.
    await this.#renew(0).catch(() => undefined)
  }
}

/** A step of the server for each group of lines: they are kept as its persistence keeps them. */
class RedisJournal extends JournalQueue implements JournalWriter {
  #lost = false

  constructor(append: (lines: string) => Promise<void>, name: string) {
    super({
      turn: () => new Promise((resolve) => setImmediate(resolve)),
      pace: () => Promise.resolve(),
      keep: async (lines, awaited) => {
        if (this.#lost) throw lostTo(name)
        if (lines !== '') await append(lines)
        return awaited()
      },
      failure: (cause) => (cause instanceof AetherflowError ? cause : ioError(name, cause)),
    })
  }

  /** Another owns the run: the next line fails. */
  lost(): void {
    this.#lost = true
  }
}

export const lostTo = (name: string): AetherflowError =>
  new AetherflowError('host.run_locked', name, 'another process has taken the run over')
const ioError = (name: string, cause: unknown): AetherflowError =>
  new AetherflowError('host.io_failed', name, messageOf(cause))

/** Whatever goes wrong is told as host.io_failed. */
export async function told<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof AetherflowError ? error : ioError(name, error)
  }
}
