/** `aetherflow bench …` as commander knows it. */
import { Option, type Command } from 'commander'
import { runs, seed } from './arguments.js'
import type { BenchPreloadFlags } from './commands/bench-preload.js'
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
    .action(async (flags: BenchPreloadFlags) =>
      done(await (await import('./commands/bench-preload.js')).benchPreload(flags, host)),
    )
}

/** `bench NAME [plan]` of a benchmark that tells a sheet: its command with the flags of all such (see `BenchFlags`). */
export const sheetCommand = (bench: Command, name: string, description: string): Command =>
  bench
    .command(`${name} [plan]`)
    .description(description)
    .copyInheritedSettings(bench)
    .addOption(new Option('--runs <n>', 'pairs of runs; default 10').argParser(runs))
    .addOption(new Option('--seed <n>', 'seed of the first pair; default 1').argParser(seed))
    .option('--profile <profile>', 'simulated profile: default, mission, instant, flaky, or a file of your own')
    .option('--json', 'print the result as JSON')
    .option('--markdown', 'print the result as Markdown')
    .option('--out <file>', 'write it to a file instead')
