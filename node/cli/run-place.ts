/** Where a run of the command line keeps what it buys, and the commands that resume it. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CoreRun } from '../../bindings/core.js'
import { oneLine } from '../../web/standard/format.js'
import { AetherflowError } from '../index.js'
import { loadCore } from '../loader.js'
import { FileRunStore, journalName, runExists } from '../run/file-run-store.js'
import { OutputFolder, outputName } from '../run/outputs.js'
import { RunFolder } from '../run/run-folder.js'
import type { Host } from './host.js'

export interface PlaceFlags {
  /** False: `--no-output`. Absent: a new folder below `aetherflow-out`. */
  readonly output?: string | false
  readonly resume?: true
  readonly reuse?: true
  readonly takeOver?: true
  /** False: `--no-journal`. */
  readonly journal: boolean
}

/** Where runs go that name no folder. */
export const usualFolder = 'aetherflow-out'

export class RunPlace {
  readonly folder: string
  readonly outputs: OutputFolder
  readonly owner: RunFolder
  /** Nobody named it. */
  readonly usual: boolean
  readonly #journal: boolean

  private constructor(owner: RunFolder, usual: boolean, journal: boolean) {
    this.folder = owner.folder
    this.outputs = new OutputFolder(owner.folder)
    this.owner = owner
    this.usual = usual
    this.#journal = journal
  }

  /**
   * Takes the folder of the run before anything in it is touched; undefined: none is wanted. `task`: what the run is called.
   * Fails: host.run_locked, host.journal (there is a run that nobody wants to resume), host.io_failed.
   */
  static async take(flags: PlaceFlags, task: string): Promise<RunPlace | undefined> {
    const { output, takeOver, journal } = flags
    if (output === false) return undefined
    if (output === undefined)
      return RunPlace.#open(await RunFolder.takeFresh(usualName(task, new Date())), true, journal)
    const begins = flags.resume !== true && flags.reuse !== true
    if (begins) await refuseExistingRun(output)
    const place = await RunPlace.#open(await RunFolder.take(output, takeOver), false, journal)
    try {
      // Somebody may have begun one in between.
      if (begins) await refuseExistingRun(output)
    } catch (error) {
      await place.giveBack()
      throw error
    }
    return place
  }

  static async #open(owner: RunFolder, usual: boolean, journal: boolean): Promise<RunPlace> {
    const place = new RunPlace(owner, usual, journal)
    try {
      await place.outputs.prepare()
    } catch (error) {
      await place.giveBack()
      throw error
    }
    return place
  }

  get hasJournal(): boolean {
    return existsSync(join(this.folder, journalName))
  }

  /** Lets go of the folder; of one that holds nothing, what was made of it is taken back. */
  async close(): Promise<void> {
    if (this.outputs.empty && !this.hasJournal) return this.giveBack()
    await (this.#journal ? this.owner.release() : this.owner.leave())
  }

  async giveBack(): Promise<void> {
    await this.outputs.discard()
    await this.owner.giveBack()
  }
}

async function refuseExistingRun(folder: string): Promise<void> {
  if ((await new FileRunStore(folder).peek()) !== undefined) throw runExists(folder)
}

/** `aetherflow-out/TASK-TIME`. */
export function usualName(task: string, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
  return `${usualFolder}/${outputName(task).slice(0, 60)}-${day}-${time}`
}

/** The `task_id` of a plan that is there as a whole, else `plan`; a broken one is refused later, with words. */
export async function taskOf(plan: Uint8Array | AsyncIterable<Uint8Array> | undefined): Promise<string> {
  if (!(plan instanceof Uint8Array)) return 'plan'
  const core = new CoreRun(await loadCore())
  try {
    core.planBytes(plan, 0)
    return core.document<{ taskId: string }>('plan').taskId || 'plan'
  } catch (error) {
    if (!(error instanceof AetherflowError)) throw error
    return 'plan'
  } finally {
    core.dispose()
  }
}

/** What a command line must say again to resume a run: its journal is not asked where files, caches and providers are. */
export interface RepeatedFlags {
  readonly config?: string
  readonly cache?: string
  readonly cacheModel?: string
  readonly cacheShare?: number
  readonly tenant?: string
  readonly files?: string
  readonly allowFile?: readonly string[]
  readonly docs?: string
  readonly docsModel?: string
  readonly allowChecks?: true
  readonly apply?: true
}

/**
 * The command that resumes a run. `plan`: as it was named; `-` is fed from a file. `whole`: the journal has all of the plan, so
 * that it may be left away where nobody could name it again.
 */
export function goOnCommand(
  how: '--resume' | '--reuse',
  { plan, folder, whole }: { plan: string | undefined; folder: string; whole: boolean },
  flags: RepeatedFlags,
  host: Pick<Host, 'env' | 'program'>,
): string {
  const streamed = plan === '-'
  const named = streamed ? (whole ? [] : ['-']) : plan === undefined ? [] : [plan]
  const repeated = (
    [
      ['--config', flags.config],
      ['--cache', flags.cache],
      ['--cache-model', flags.cacheModel],
      ['--cache-share', flags.cacheShare],
      ['--tenant', flags.tenant],
      ['--files', flags.files],
      ['--docs', flags.docs],
      ['--docs-model', flags.docsModel],
    ] as const
  ).flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]))
  const allowed = (flags.allowFile ?? []).flatMap((path) => ['--allow-file', path])
  const switches = [...(flags.allowChecks ? ['--allow-checks'] : []), ...(flags.apply ? ['--apply'] : [])]
  const words = ['run', ...named, '--output', folder, how, ...repeated, ...allowed, ...switches].map(quoted)
  return `${programWords(host)} ${words.join(' ')}${streamed && !whole ? ' < PLAN' : ''}`
}

/** How this program was called, so that a command to be typed is found where it was. */
function programWords({ env, program = '' }: Pick<Host, 'env' | 'program'>): string {
  if (!program.endsWith('.js')) return env['npm_command'] === 'exec' ? 'npx aetherflow' : 'aetherflow'
  return `node ${quoted(relative(process.cwd(), program) || program)}`
}

/** A word as shells take it: those of Windows know double quotes alone. */
function quoted(word: string): string {
  const shown = oneLine(word)
  if (/^[\w@%+=:,./\\-]+$/.test(shown)) return shown
  return process.platform === 'win32' ? `"${shown}"` : `'${shown.replaceAll("'", "'\\''")}'`
}
