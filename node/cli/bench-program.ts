/** `aetherflow bench …` as commander knows it. */
import type { Command } from 'commander'
import { benchPreload, type BenchPreloadFlags } from './commands/bench-preload.js'
import type { ExitCode, Host } from './host.js'

export function addBench(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const bench = program
    .command('bench')
    .description('measure on this machine what the documents promise')
    .copyInheritedSettings(program)
  bench
    .command('preload')
    .description('the first embedding, the same from memory, and the loading of the modules')
    .copyInheritedSettings(program)
    .option('--model <model>', 'a pulled model, a folder or an address; default: the pulled one')
    .option('--json', 'print the result as JSON')
    .action(async (flags: BenchPreloadFlags) => done(await benchPreload(flags, host)))
}
