/** The plan that a client means: written out, a file below the root, or a bare list of prompts. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'

export interface PlanArguments {
  readonly plan?: object | string
  readonly path?: string
  readonly prompts?: readonly string[]
}

export interface GivenPlan {
  readonly bytes: Uint8Array
  /** Where its context files lie. */
  readonly files: string
  /** A text that is no plan but seems to hold one: where that begins, in characters. */
  readonly begins: number | undefined
  readonly isList: boolean
}

const refused = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

/** Larger ones are refused by the core too, but would be read first. */
const mostBytes = 64 << 20
const mostPrompts = 1000

/** Whether `path` is `root` or below it; both without links. */
export const isBelow = (root: string, path: string): boolean => {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path)
}

/** Fails: host.usage for none, several, or a file that is not below the root. */
export async function givenPlan(root: string, { plan, path, prompts }: PlanArguments): Promise<GivenPlan> {
  const named = [plan, path, prompts].filter((one) => one !== undefined).length
  if (named !== 1) throw refused('plan', 'give one of plan, path, prompts')
  if (path !== undefined) return { ...(await planFile(root, path)), begins: undefined, isList: false }
  if (prompts !== undefined) return { bytes: listPlan(prompts), files: root, begins: undefined, isList: true }
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan)
  return { bytes: new TextEncoder().encode(text), files: root, begins: beginningOf(text), isList: false }
}

/** Models like to say something before the plan. */
function beginningOf(text: string): number | undefined {
  const begins = text.indexOf('{')
  return begins > 0 && text.slice(0, begins).trim() !== '' ? begins : undefined
}

async function planFile(root: string, path: string): Promise<Pick<GivenPlan, 'bytes' | 'files'>> {
  const outside = refused('path', 'not a file below the root of this server')
  if (!isBelow(root, resolve(root, path))) throw outside
  const file = await realpath(resolve(root, path)).catch((error: unknown) => {
    throw errorCode(error) === 'ENOENT' ? refused('path', 'there is no such file below the root') : outside
  })
  // Both answers before anything is read: what is elsewhere is none of the client's business.
  if (!isBelow(root, file)) throw outside
  const { size } = await stat(file)
  if (size > mostBytes) throw refused('path', 'too large for a plan')
  const bytes = await readFile(file).catch(() => Promise.reject(outside))
  return { bytes, files: dirname(file) }
}

function listPlan(prompts: readonly string[]): Uint8Array {
  if (prompts.length === 0 || prompts.length > mostPrompts)
    throw refused('prompts', `between 1 and ${mostPrompts} prompts`)
  // No type of the table, on purpose: the default route, and no role.
  const steps = prompts.map((description, index) => ({
    id: `p${index + 1}`,
    type: 'prompt',
    description: verbatim(description),
  }))
  return new TextEncoder().encode(JSON.stringify({ task_id: 'prompts', description: 'A list of prompts', steps }))
}

/** Braces of a prompt mean themselves: nobody writes templates in a list without steps. */
const verbatim = (text: string): string => text.replaceAll('{{', "{{'{{'}}")
