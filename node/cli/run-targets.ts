/** Of a run of the command line: what its answers are to become, and that with `--apply` they do. */
import type { StepInfo } from '../../bindings/events.js'
import type { RunApplied } from '../apply/run-apply.js'
import type { Environment } from '../folders.js'
import { AetherflowError } from '../index.js'
import type { OutputFolder } from '../run/outputs.js'

/** Keeps `targets.json` of a run up to date: written before the first output is. */
export class RunTargets {
  readonly #outputs: OutputFolder
  /** Undefined: nobody names it, so it is that of the run that goes on, or the working folder. */
  readonly #project: string | undefined
  readonly #steps: StepInfo[] = []
  #root: string | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(outputs: OutputFolder, project: string | undefined) {
    this.#outputs = outputs
    this.#project = project
  }

  /** Outputs have their names, and targets are looked at. */
  adopt(steps: readonly StepInfo[]): void {
    this.#outputs.adopt(steps)
    this.#steps.push(...steps)
    if (!steps.some(({ placing }) => placing?.target !== undefined)) return
    const all = [...this.#steps]
    const before = this.#writing
    this.#writing = before.then(() => this.#write(all))
    // Reported by the caller that waits for it.
    this.#writing.catch(() => {})
  }

  async #write(steps: readonly StepInfo[]): Promise<void> {
    const { joinedTargets, readTargets, targetsName, targetsNow } = await import('../apply/targets.js')
    const before = await readTargets(this.#outputs.folder)
    const now = joinedTargets(before, await targetsNow(steps, this.#project ?? before?.root ?? '.'))
    await this.#outputs.keep(targetsName, `${JSON.stringify(now, null, 2)}\n`)
    this.#root = now.root
  }

  /** Keeps an output, after what it belongs to is known. Rejects with what `targetsNow` and `OutputFolder.write` do. */
  async deliver(step: StepInfo, text: string, again: boolean): Promise<string> {
    await this.#writing
    return await this.#outputs.write(step, text, again)
  }

  /**
   * Applies the answers of a run that ended well; undefined: it did not, or no step has a target. The run has let go of its folder:
   * the caller that applies takes it. Rejects with what `applyRun` does.
   */
  async apply(outcome: string, env: Environment): Promise<RunApplied | undefined> {
    if (outcome !== 'ok' || this.#root === undefined) return undefined
    const { applyRun } = await import('../apply/run-apply.js')
    return await applyRun({ folder: this.#outputs.folder, root: this.#root, env })
  }
}

/** Fails: host.usage for `--apply` where nothing is kept. */
export function mustKeepOutputs({ apply, output }: { readonly apply?: true; readonly output?: string | false }): void {
  if (apply === true && output === false)
    throw new AetherflowError(
      'host.usage',
      '--apply',
      'what is applied is kept, so that it can be taken back: not with --no-output',
    )
}
