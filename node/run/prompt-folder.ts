/** `--keep-prompts`: every prompt as it was sent, a file a call, in `prompts` beside the outputs. */
import { lstat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SentPrompt } from '../../web/standard/run/performer.js'
import { makeFolder } from '../make-folder.js'
import { patiently } from '../patience.js'
import { ioError, outputName } from './outputs.js'

export class PromptFolder {
  readonly folder: string
  readonly #counts = new Map<string, number>()
  #writes: Promise<void>
  #fault: unknown

  /** Made at once; faults are told by `settled`, as no prompt waits for its copy. */
  constructor(runFolder: string) {
    this.folder = join(runFolder, 'prompts')
    this.#writes = this.#prepare().catch((error: unknown) => void (this.#fault ??= error))
  }

  keep(prompt: SentPrompt): void {
    const base = `${outputName(prompt.step)}.${prompt.purpose}`
    const count = (this.#counts.get(base) ?? 0) + 1
    this.#counts.set(base, count)
    const path = join(this.folder, `${base}${count === 1 ? '' : `-${count}`}.md`)
    // One at a time: a run has hundreds of calls at once, and files are few.
    this.#writes = this.#writes.then(async () => {
      if (this.#fault !== undefined) return
      await patiently(() => writeFile(path, promptText(prompt), { mode: 0o600 })).catch(
        (error: unknown) => void (this.#fault ??= ioError(path, error)),
      )
    })
  }

  /** Resolves once all are written. Fails: host.io_failed with the path of the first that could not be. */
  async settled(): Promise<void> {
    await this.#writes
    if (this.#fault !== undefined) throw this.#fault
  }

  async #prepare(): Promise<void> {
    try {
      await makeFolder(this.folder, 0o700)
      if (!(await lstat(this.folder)).isSymbolicLink()) return
    } catch (error) {
      throw ioError(this.folder, error)
    }
    throw ioError(this.folder, 'a link, which would lead the prompts out of the folder of the run')
  }
}

/** For people and for tools: what stands before the two parts is a line each. */
export function promptText({ step, purpose, attempt, provider, model, system, user }: SentPrompt): string {
  const head = `step ${step}, ${purpose}, attempt ${attempt + 1}, to ${provider} ${model}`
  const role = system === '' ? '' : `--- system\n${system}\n`
  return `${head.replaceAll(/[\n\r]/g, ' ')}\n${role}--- user\n${user}\n`
}
