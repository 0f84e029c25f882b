/** Commands that help to begin: `init`, `guide`, `schema`. */
import { access, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { oneLine } from '../../../web/standard/format.js'
import { AetherflowError, listProviders } from '../../index.js'
import { errorCode } from '../../error-code.js'
import { makeFolder } from '../../make-folder.js'
import { projectConfigName } from '../../project-config.js'
import { ioError } from '../../run/outputs.js'
import { assistantEntries, missingEntry, type Assistant } from '../assistant-entries.js'
import type { SchemaName } from '../choices.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { firstPlan, planCard } from '../../plan-card.js'

export function guide(host: Host): ExitCode {
  host.stdout.write(planCard)
  return exitCodes.ok
}

/** Prints a JSON Schema of the package. Fails: host.io_failed when the package is incomplete. */
export async function schema(name: SchemaName, host: Host): Promise<ExitCode> {
  const file = new URL(`../../../${name}.schema.json`, import.meta.url)
  host.stdout.write(
    await readFile(file, 'utf8').catch((error: unknown) => Promise.reject(ioError(file.pathname, error))),
  )
  return exitCodes.ok
}

const ignored = ['aetherflow-out/', '.env']

interface StartFile {
  readonly text: string
  /** What it is, for people. */
  readonly about: string
  /** What a file that is there lacks; '' or nothing: nothing. */
  readonly missing?: (text: string) => string
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** What `init` writes, by name. */
const files: Readonly<Record<string, StartFile>> = {
  'plan.json': { text: json(firstPlan), about: 'an example: aetherflow explain plan.json' },
  [projectConfigName]: {
    text: json({
      $schema: './node_modules/@aetherflow/aetherflow/dist/config.schema.json',
      budget: { run: { usd: 1 } },
    }),
    about: 'limits of runs in this folder; holds no keys',
  },
  '.gitignore': {
    text: `${ignored.join('\n')}\n`,
    about: 'keeps outputs and keys out of the repository',
    missing: missingLines,
  },
}

/** Names of keys without values, for all providers that are known. */
async function keysExample(): Promise<StartFile> {
  const { entries } = await listProviders({ config: {} })
  const names = [...new Set(entries.map(({ keyEnv }) => keyEnv).filter((name) => name !== ''))]
  const head = '# Keys of providers; one is enough. Copy this to .env, and say --keys-file .env to the commands.\n'
  return { text: `${head}${names.map((name) => `${name}=\n`).join('')}`, about: 'names of keys; copy it to .env' }
}

function assistantFile(name: Assistant): readonly [string, StartFile] {
  const entry = assistantEntries[name]
  const missing = (text: string): string => missingEntry(entry, text) ?? ''
  return [entry.file, { text: json(entry.content), about: `tools for ${name}: aetherflow mcp`, missing }]
}

/** Writes what is missing in `folder`, and never over what is there. Fails: host.io_failed, host.usage when the folder is not there. */
export async function init(folder: string, wanted: readonly Assistant[], host: Host): Promise<ExitCode> {
  await access(folder).catch(() => {
    throw new AetherflowError('host.usage', folder, 'there is no such folder')
  })
  const name = (file: string): string => file.padEnd(24)
  const all = [...Object.entries(files), ['.env.example', await keysExample()] as const, ...wanted.map(assistantFile)]
  for (const [file, { text, about, missing }] of all) {
    try {
      if (file.includes('/')) await makeFolder(dirname(join(folder, file)))
      await writeFile(join(folder, file), text, { flag: 'wx' })
      host.stdout.write(`written  ${name(file)}${about}\n`)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw ioError(join(folder, file), error)
      const there = await readFile(join(folder, file), 'utf8').catch(() => '')
      const more = missing?.(there) ?? ''
      host.stdout.write(`is there ${name(file)}left as it is${more === '' ? '' : `; ${oneLine(more)}`}\n`)
    }
  }
  host.stdout.write(
    'next: aetherflow run plan.json --simulate\n      or, with a key such as GEMINI_API_KEY set: aetherflow run plan.json\n',
  )
  return exitCodes.ok
}

/** Of a .gitignore that is somebody's own. */
function missingLines(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const missing = ignored.filter((line) => !lines.includes(line))
  return missing.length === 0 ? '' : `it lacks ${missing.join(' and ')}`
}
