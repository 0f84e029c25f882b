/** Commands that help to begin: `init`, `guide`, `schema`. */
import { access, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { oneLine } from '../../../web/standard/format.js'
import { AetherflowError } from '../../index.js'
import { errorCode } from '../../error-code.js'
import { projectConfigName } from '../../project-config.js'
import { ioError } from '../../run/outputs.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { firstPlan, planCard } from '../../plan-card.js'

export function guide(host: Host): ExitCode {
  host.stdout.write(planCard)
  return exitCodes.ok
}

export const schemas = ['plan', 'events', 'config'] as const
export type SchemaName = (typeof schemas)[number]

/** Prints a JSON Schema of the package. Fails: host.io_failed when the package is incomplete. */
export async function schema(name: SchemaName, host: Host): Promise<ExitCode> {
  const file = new URL(`../../../${name}.schema.json`, import.meta.url)
  host.stdout.write(
    await readFile(file, 'utf8').catch((error: unknown) => Promise.reject(ioError(file.pathname, error))),
  )
  return exitCodes.ok
}

const ignored = ['aetherflow-out/', '.env']

/** What `init` writes, by name; each with what it is. */
const files: Readonly<Record<string, { readonly text: string; readonly about: string }>> = {
  'plan.json': { text: `${JSON.stringify(firstPlan, null, 2)}\n`, about: 'an example: aetherflow explain plan.json' },
  [projectConfigName]: {
    text: `${JSON.stringify({ $schema: './node_modules/@aetherflow/aetherflow/dist/config.schema.json', budget: { run: { usd: 1 } } }, null, 2)}\n`,
    about: 'limits of runs in this folder; holds no keys',
  },
  '.gitignore': { text: `${ignored.join('\n')}\n`, about: 'keeps outputs and keys out of the repository' },
}

/** Writes what is missing in `folder`, and never over what is there. Fails: host.io_failed, host.usage when the folder is not there. */
export async function init(folder: string, host: Host): Promise<ExitCode> {
  await access(folder).catch(() => {
    throw new AetherflowError('host.usage', folder, 'there is no such folder')
  })
  const name = (file: string): string => file.padEnd(24)
  for (const [file, { text, about }] of Object.entries(files)) {
    try {
      await writeFile(join(folder, file), text, { flag: 'wx' })
      host.stdout.write(`written  ${name(file)}${about}\n`)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw ioError(join(folder, file), error)
      const more = file === '.gitignore' ? await missingLines(join(folder, file)) : ''
      host.stdout.write(`is there ${name(file)}left as it is${oneLine(more)}\n`)
    }
  }
  host.stdout.write(
    'next: aetherflow run plan.json --simulate\n      or, with a key such as GEMINI_API_KEY set: aetherflow run plan.json\n',
  )
  return exitCodes.ok
}

/** Of a .gitignore that is somebody's own. */
async function missingLines(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split(/\r?\n/).map((line) => line.trim())
  const missing = ignored.filter((line) => !lines.includes(line))
  return missing.length === 0 ? '' : `; it lacks ${missing.join(' and ')}`
}
