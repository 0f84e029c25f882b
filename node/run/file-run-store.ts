/**
 * Runs in folders:
 *
 *   journal.jsonl      everything that happened, see bindings/journal/journal.ts
 *   journal-1.jsonl    of an earlier run whose outputs were reused
 *   run.lock.3         who owns the run, see lock.ts
 */
import { copyFile, link, readFile, realpath, stat, unlink } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { CoreRun } from '../../bindings/core.js'
import { AetherflowError } from '../../bindings/errors.js'
import { journalPlan, type JournalEnd } from '../../bindings/journal/reader.js'
import type { JournalHeader } from '../../bindings/journal/journal.js'
import { KeptJournal, type OwnedRun, type RunStore } from '../../web/standard/run/run-store.js'
import { namesFiles } from '../../web/standard/run/reuse.js'
import { errorCode } from '../error-code.js'
import { patiently } from '../patience.js'
import { JournalFile, type SyncPolicy } from './journal-file.js'
import { ioError, sweepParts } from './outputs.js'
import { RunFolder } from './run-folder.js'

export interface FileRunStoreOptions {
  /** When a journal line counts as kept. Default `always`. */
  readonly sync?: SyncPolicy | undefined
  /** Take the run from an owner on another machine, of which nobody can say whether it lives. Default false. */
  readonly takeOver?: boolean | undefined
  /** Folder that context files are read from; default: the working folder. What a journal says of it is only compared. */
  readonly files?: string | undefined
  /** From a caller that holds the folder already and releases it afterwards; absent: it is taken and released here. */
  readonly owner?: RunFolder | undefined
}

export const journalName = 'journal.jsonl'

/** Refused: a run that is there, when another is to begin. */
export function runExists(folder: string): AetherflowError {
  return new AetherflowError('host.journal', folder, 'there is a run in this folder: resume it, or name another folder')
}

/** What was read last, and what the file was then: a journal that goes on grows, another one is another file. */
interface Read {
  readonly file: number
  readonly size: number
  readonly kept: KeptJournal
}

export class FileRunStore implements RunStore {
  readonly name: string
  readonly #options: FileRunStoreOptions
  #read: Read | undefined

  constructor(folder: string, options: FileRunStoreOptions = {}) {
    this.name = folder
    this.#options = options
  }

  async peek(): Promise<KeptJournal | undefined> {
    const path = join(this.name, journalName)
    try {
      const { ino: file, size } = await patiently(() => stat(path))
      if (this.#read?.file !== file || this.#read.size !== size)
        this.#read = { file, size, kept: new KeptJournal(await patiently(() => readFile(path)), path) }
      return this.#read.kept
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw ioError(path, error)
    }
  }

  async open(): Promise<OwnedRun> {
    const { owner, takeOver } = this.#options
    const claim = owner === undefined ? await RunFolder.take(this.name, takeOver) : lent(owner)
    try {
      await sweepParts(this.name)
      return new OwnedFolder(this.name, await this.peek(), claim, this.#options)
    } catch (error) {
      await claim.release()
      throw error
    }
  }

  /** The same run, in a folder that somebody has taken. */
  lentBy(owner: RunFolder): FileRunStore {
    const store = new FileRunStore(this.name, { ...this.#options, owner })
    store.#read = this.#read
    return store
  }

  header(): Partial<JournalHeader> {
    return { files: relative(resolve(this.name), resolve(this.#options.files ?? '.')) || '.' }
  }

  /**
   * A folder of a run may come from somebody else, so its journal does not decide where context files are read from: it has to agree
   * with what the user named, or with the working folder. Fails: host.usage.
   */
  async mustAgree({ journal }: KeptJournal, freshCore: () => CoreRun): Promise<void> {
    if (this.#options.files !== undefined) return
    const was = resolve(this.name, journal.header.files ?? '.')
    if (await samePlace(process.cwd(), was)) return
    const core = freshCore()
    try {
      if (!namesFiles(core, journalPlan(journal.records).bytes)) return
    } finally {
      core.dispose()
    }
    const detail = `the steps of this run read files in ${was}: if they may, name that folder, or the plan`
    throw new AetherflowError('host.usage', 'folder', detail)
  }
}

/** The folder of a run; one that somebody else has taken is let go of by them. */
type FolderClaim = Pick<RunFolder, 'lock' | 'release' | 'giveBack'>

const nothing = (): Promise<void> => Promise.resolve()
const lent = ({ lock }: RunFolder): FolderClaim => ({ lock, release: nothing, giveBack: nothing })

async function samePlace(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => undefined)))
  return first !== undefined && first === second
}

class OwnedFolder implements OwnedRun {
  readonly kept: KeptJournal | undefined
  readonly #folder: string
  readonly #claim: FolderClaim
  readonly #sync: SyncPolicy | undefined
  #writer: JournalFile | undefined
  #over = false

  constructor(folder: string, kept: KeptJournal | undefined, claim: FolderClaim, { sync }: FileRunStoreOptions) {
    this.#folder = folder
    this.kept = kept
    this.#claim = claim
    this.#sync = sync
  }

  begin(_header: JournalHeader, firstLine: string): Promise<JournalFile> {
    return this.#create(firstLine)
  }

  resume({ bytes, newline }: JournalEnd): Promise<JournalFile> {
    const there = this.kept?.bytes.subarray(0, bytes) ?? new Uint8Array()
    // A new file also where nothing is dropped: a process that lost the run keeps writing to the old one, which has no name then.
    return this.#create(newline ? there : Buffer.concat([there, Buffer.from('\n')]))
  }

  async #create(start: Uint8Array | string): Promise<JournalFile> {
    const fence = (): Promise<void> => this.#claim.lock.check()
    this.#writer = await JournalFile.create(join(this.#folder, journalName), start, { sync: this.#sync, fence })
    return this.#writer
  }

  /** Gives the journal a second name, which it keeps when a new one takes the first. */
  async setAside(): Promise<string> {
    const path = join(this.#folder, journalName)
    for (let n = 1; ; ++n) {
      const name = `journal-${n}.jsonl`
      try {
        await link(path, join(this.#folder, name))
        return name
      } catch (error) {
        const code = errorCode(error)
        if (code === 'EEXIST') continue
        if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP')
          throw ioError(path, error)
        await copyFile(path, join(this.#folder, name))
        return name
      }
    }
  }

  async aside(name: string): Promise<KeptJournal | undefined> {
    // Only a name beside the journal: what is in the file is no path.
    if (!/^journal-\d+\.jsonl$/.test(name)) return undefined
    const path = join(this.#folder, name)
    try {
      return new KeptJournal(await patiently(() => readFile(path)), path)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw ioError(path, error)
    }
  }

  async close(): Promise<void> {
    await this.#writer?.close()
    if (this.#over) return
    this.#over = true
    await this.#claim.release()
  }

  async discard(): Promise<void> {
    await this.#writer?.close()
    if (this.#over) return
    this.#over = true
    await unlink(join(this.#folder, journalName)).catch(() => {})
    await this.#claim.giveBack()
  }
}
