/** Options that say where a command's settings come from, and what happens to them before it runs. */
import { Option, type Command } from 'commander'
import { AetherflowError } from '../../bindings/errors.js'
import { takeKeysFile } from '../keys-file.js'

/** `--keys-file`; and `--env-file`, which Node takes for itself wherever it stands, and of which it believes everything. */
export const addKeysFile = (command: Command): Command =>
  command
    .option('--keys-file <file>', 'take keys that are not set yet from a .env file, and no other variables')
    .addOption(new Option('--env-file <file>').hideHelp())

/** Before any command that has it. Fails: host.usage. */
export function takeKeysFiles(program: Command): void {
  program.hook('preAction', async (_program, command) => {
    const { keysFile, envFile, config } = command.opts<{ keysFile?: string; envFile?: string; config?: string }>()
    if (envFile !== undefined) {
      const detail =
        'Node itself reads all of that file, options of Node among it: use --keys-file, which takes keys alone'
      throw new AetherflowError('host.usage', '--env-file', detail)
    }
    if (keysFile === undefined) return
    const { listProviders } = await import('../index.js')
    const { entries } = await listProviders({ configFile: config })
    const known = new Set(entries.map(({ keyEnv }) => keyEnv).filter((name) => name !== ''))
    await takeKeysFile(keysFile, known, process.env)
  })
}
