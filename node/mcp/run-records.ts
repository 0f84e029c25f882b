/**
 * What this user's servers have started, a file a run in `$XDG_STATE_HOME/aetherflow/runs`. The handle of a run is the name of its
 * file: random, so that nobody guesses it, and not in the project, so that a cloned repository brings none.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../error-code.js'
import { userStateFolder, type Environment } from '../folders.js'
import { makeFolder } from '../make-folder.js'
import { ownerState, thisProcess, type ProcessOwner } from '../run/process-owner.js'

export interface RunRecord {
  readonly id: string
  readonly root: string
  /** Where the run keeps what it buys; below the root. */
  readonly folder: string
  /** Where its context files lie. */
  readonly files: string
  readonly budgetUsd: number
  readonly mode?: string | undefined
  readonly deadlineS?: number | undefined
  /** The profile that plays the providers: how the command line is told of it, and its name. */
  readonly simulate?: { readonly word: string; readonly name: string } | undefined
  readonly configFile?: string | undefined
  /** ISO 8601. */
  readonly startedAt: string
  /** The process that runs it, or ran it last. */
  readonly runner?: ProcessOwner | undefined
  /** Folder by which that process is found, see runner-client.ts. */
  readonly place?: string | undefined
  /** How often it was begun or resumed: its log is `events-N.jsonl`. */
  readonly times: number
}

/** 128 random bits as lower-case letters and digits: a name in every file system. */
export const freshId = (): string =>
  `r${BigInt(`0x${randomBytes(16).toString('hex')}`)
    .toString(36)
    .padStart(25, '0')}`

const isId = (text: string): boolean => /^r[0-9a-z]{25}$/.test(text)

export class RunRecords {
  readonly #folder: string
  #temporary = 0

  constructor(env: Environment) {
    this.#folder = userStateFolder(env, 'runs')
  }

  /** Undefined: this user has started no such run. */
  async get(id: string): Promise<RunRecord | undefined> {
    if (!isId(id)) return undefined
    try {
      return JSON.parse(await readFile(this.#path(id), 'utf8')) as RunRecord
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
      throw error
    }
  }

  /** Whole or not at all. Rejects with the system's error. */
  async put(record: RunRecord): Promise<void> {
    await makeFolder(this.#folder, 0o700)
    const part = join(this.#folder, `.${process.pid}-${++this.#temporary}.part`)
    await writeFile(part, JSON.stringify(record), { mode: 0o600 })
    await rename(part, this.#path(record.id))
  }

  /** Runs whose process lives. What is left of runs whose folder is gone goes too. */
  async living(): Promise<RunRecord[]> {
    const names = await readdir(this.#folder).catch(() => [] as string[])
    const found: RunRecord[] = []
    for (const name of names) {
      const record = await this.get(name.replace(/\.json$/, ''))
      if (record === undefined) continue
      const there = await stat(record.folder).catch(() => undefined)
      if (there === undefined) await unlink(this.#path(record.id)).catch(() => undefined)
      else if (await isAlive(record)) found.push(record)
    }
    return found
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`)
  }
}

/** Asked for once. */
let own: Promise<ProcessOwner> | undefined

export async function isAlive({ runner }: RunRecord): Promise<boolean> {
  own ??= thisProcess()
  return runner !== undefined && (await ownerState(runner, await own)) === 'lives'
}
