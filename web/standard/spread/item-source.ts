/** Where items come from: the plan, files that a pattern names, the answer of a step. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { FileReader } from '../../../bindings/ports.js'
import { jsonOf, memberOf } from './conditions.js'
import { tooMany, type ForEach } from './written.js'

/**
 * Those that are not told yet. `answer`: of the step that has them; undefined: it gave none, and there is nothing to do. `known`: texts
 * of items that were told before the run was interrupted: of files that came and went meanwhile each is told once.
 */
export async function itemsOf(
  { items, glob, field, maxItems }: ForEach,
  answer: string | undefined,
  files: FileReader | undefined,
  known: readonly (string | undefined)[],
): Promise<unknown[]> {
  if (glob !== undefined) {
    const told = new Set(known)
    return bounded(await listed(glob, files, maxItems), maxItems).filter((path) => !told.has(path as string))
  }
  const list = items ?? (answer === undefined ? [] : listOf(answer, field))
  return bounded(list, maxItems).slice(known.length)
}

const outside = /^(?:[/\\]|[A-Za-z]:)|(?:^|[/\\])\.\.(?:[/\\]|$)/

async function listed(glob: readonly string[], files: FileReader | undefined, most: number): Promise<string[]> {
  if (files?.list === undefined)
    throw new AetherflowError('host.file_refused', glob[0] ?? '', 'files cannot be listed here')
  const found = new Set<string>()
  for (const entry of glob)
    for (const path of await files.list(entry, most)) {
      // A reader refuses it too, and a part need not read its item.
      if (outside.test(path))
        throw new AetherflowError('host.file_refused', path, 'it is not below the folder of the plan')
      found.add(path)
    }
  return [...found]
}

function listOf(answer: string, field: string | undefined): unknown[] {
  const found = field === undefined ? jsonOf(answer) : memberOf(answer, field.split('.'))
  if (Array.isArray(found)) return found
  throw new AetherflowError(
    'plan.wrong_type',
    '',
    field === undefined ? 'the answer is no JSON array' : `the answer has no JSON array at ${field}`,
  )
}

function bounded(items: readonly unknown[], most: number): unknown[] {
  if (items.length > most) throw new AetherflowError('plan.too_large', '', tooMany(items.length, most))
  return [...items]
}
