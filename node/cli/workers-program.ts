/** `worker` and `workers`, as commander knows them. */
import { Option, type Command } from 'commander'
import { wholeNumber } from './cache-flags.js'
import type { WorkerFlags, WorkersFlags } from './commands/workers.js'
import type { ExitCode, Host } from './host.js'
import { addKeysFile } from './settings-flags.js'

const redis = (): Option => new Option('--redis <address>', 'the server of the queues, redis://…').makeOptionMandatory()

export function addWorkers(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = (usage: string, about: string): Command =>
    program.command(usage).description(about).copyInheritedSettings(program)
  addKeysFile(command('worker', 'make calls for runs of other machines, with the keys of this one, until interrupted'))
    .addOption(redis())
    .addOption(
      new Option('--concurrency <n>', 'most calls at once of each provider').argParser(wholeNumber).default(20),
    )
    .addOption(new Option('--simulate [profile]', 'play the providers, as of run'))
    .option('--config <file>', 'configuration instead of the user’s own')
    .action(async (flags: WorkerFlags) => done(await (await import('./commands/workers.js')).worker(flags, host)))
  command('workers', 'list owners of runs, workers, and what waits for them')
    .addOption(redis())
    .option('--json', 'print the list as JSON')
    .action(async (flags: WorkersFlags) => done(await (await import('./commands/workers.js')).workers(flags, host)))
}
