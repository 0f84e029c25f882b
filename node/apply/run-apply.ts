/** Applies the answers of a run's folder, or takes them back. One at a time in a project, and not while the run itself goes on. */
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { digest } from '../digest.js'
import { errorCode } from '../error-code.js'
import { userStateFolder, type Environment } from '../folders.js'
import { makeFolder } from '../make-folder.js'
import { RunLock } from '../run/lock.js'
import { ioError } from '../run/outputs.js'
import { applyAnswers, undoApplied, type ApplyOptions, type Placed, type StepChange } from './apply.js'
import { realDisk } from './disk.js'
import { readTargets, type TargetsFile } from './targets.js'

export interface RunApplyOptions {
  /** Of the run: with `run.json`, `targets.json` and the outputs. */
  readonly folder: string
  /** The project; default: the working folder, which must be the one that the run worked on. */
  readonly root?: string | undefined
  readonly dryRun?: boolean | undefined
  readonly undo?: boolean | undefined
  /** One step alone. */
  readonly only?: string | undefined
  readonly env?: Environment | undefined
}

export interface RunApplied {
  readonly root: string
  /** Name of the profile, where the answers are a simulator's. */
  readonly simulated?: string
  readonly changes: readonly StepChange[]
  /** Steps with a target that have no answer to apply, and why. */
  readonly without: readonly { readonly step: string; readonly why: string }[]
}

/** Fails: apply.nothing, apply.busy, apply.refused (another project), host.io_failed. */
export async function applyRun(options: RunApplyOptions): Promise<RunApplied> {
  const { folder, only, undo, dryRun, env = process.env } = options
  const targets = await readTargets(folder)
  if (targets === undefined || targets.steps.length === 0) throw new AetherflowError('apply.nothing', folder)
  if (only !== undefined && !targets.steps.some(({ step }) => step === only))
    throw new AetherflowError('apply.nothing', only, 'no step of this name has a target')
  const root = await rootOf(options.root, targets)
  const how: ApplyOptions = { folder, root, disk: realDisk, dryRun }
  return await locked([join(userStateFolder(env, 'apply'), digest([root]).slice(0, 32)), folder], async () => {
    if (undo === true) return { root, changes: await undoApplied(only, how), without: [] }
    const record = await recordOf(folder)
    const { answers, without } = await answersOf(folder, record, targets, only)
    const { simulated } = record
    const told = typeof simulated === 'string' ? { root, simulated } : { root }
    return { ...told, changes: await applyAnswers(answers, how), without }
  })
}

/** What a run's folder names is a stranger's word: another project than the one that is meant is never touched. */
async function rootOf(named: string | undefined, { root }: TargetsFile): Promise<string> {
  const asked = await realpath(named ?? '.').catch((error: unknown) => {
    throw ioError(named ?? '.', error)
  })
  if (named !== undefined || asked === root) return asked
  throw new AetherflowError('apply.refused', root, 'the run worked on another folder: name it')
}

/** Fails: apply.busy. */
async function locked<T>(folders: readonly string[], work: () => Promise<T>): Promise<T> {
  const locks: RunLock[] = []
  try {
    for (const folder of folders) {
      await makeFolder(folder, 0o700).catch((error: unknown) => {
        throw ioError(folder, error)
      })
      locks.push(await RunLock.acquire(folder))
    }
    return await work()
  } catch (error) {
    if (error instanceof AetherflowError && error.code === 'host.run_locked')
      throw new AetherflowError('apply.busy', error.where, error.detail)
    throw error
  } finally {
    for (const lock of locks.reverse()) await lock.release()
  }
}

interface RunRecord {
  readonly simulated?: unknown
  readonly outputs?: Readonly<Record<string, unknown>>
  readonly report?: { readonly steps?: readonly { readonly id?: unknown; readonly state?: unknown }[] }
}

/** The answers of steps that are done. Fails: apply.nothing for a run without an end. */
async function answersOf(
  folder: string,
  record: RunRecord,
  { steps }: TargetsFile,
  only: string | undefined,
): Promise<{ answers: Placed[]; without: RunApplied['without'] }> {
  const states = new Map((record.report?.steps ?? []).map(({ id, state }) => [id, state]))
  const answers: Placed[] = []
  const without: { step: string; why: string }[] = []
  for (const one of steps) {
    if (only !== undefined && one.step !== only) continue
    const path = Object.hasOwn(record.outputs ?? {}, one.step) ? record.outputs?.[one.step] : undefined
    const state = states.get(one.step)
    if (typeof path !== 'string' || state !== 'done' || !/^step_outputs\/[^/\\\0]+$/.test(path)) {
      without.push({ step: one.step, why: typeof state === 'string' ? state : 'not run' })
      continue
    }
    const answer = await readFile(join(folder, path), 'utf8').catch((error: unknown) => {
      throw ioError(join(folder, path), error)
    })
    answers.push({ ...one, base: one.base, answer })
  }
  return { answers, without }
}

async function recordOf(folder: string): Promise<RunRecord> {
  try {
    return JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as RunRecord
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw ioError(join(folder, 'run.json'), error)
    throw new AetherflowError('apply.nothing', folder, 'the run has not come to its end: resume it')
  }
}
