/** `aetherflow cache …` as commander knows it. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { runOptions } from './run-options.js'
import { cacheOptions, wholeNumber } from './cache-flags.js'
import type { EvaluateFlags } from './commands/cache-evaluate.js'
import type { ExplainFlags } from './commands/cache-explain.js'
import type { ClearFlags, ListFlags, LookFlags } from './commands/cache.js'
import type { ExitCode, Host } from './host.js'

export function addCache(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const cache = program
    .command('cache')
    .description('answers kept from earlier runs: what they saved, what they are, and whether to trust them')
    .copyInheritedSettings(program)
  const command = (usage: string, about: string): Command =>
    cache.command(usage).description(about).copyInheritedSettings(program).addOption(runOptions.config())
  const look = (usage: string, about: string): Command =>
    command(usage, about).addOption(cacheOptions.folder()).option('--json', 'print the result as JSON')
  look('stats', 'entries, hits, and what they saved').action(async (flags: LookFlags) =>
    done(await (await import('./commands/cache.js')).cacheStats(flags, host)),
  )
  look('list', 'the answers that are kept, newest first')
    .addOption(new Option('--limit <n>', 'most entries shown; default 20').argParser(wholeNumber))
    .action(async (flags: ListFlags) => done(await (await import('./commands/cache.js')).cacheList(flags, host)))
  look('clear', 'remove answers: all, or those that every given condition holds for')
    .option('--tenant <name>', 'of that tenant')
    .option('--provider <id>', 'of that provider')
    .option('--model <id>', 'of that model')
    .addOption(new Option('--older-than <time>', 'kept for that long: 90m, 12h, 30d').argParser(age))
    .option('--yes', 'do not ask')
    .action(async (flags: ClearFlags) => done(await (await import('./commands/cache.js')).cacheClear(flags, host)))
  look('explain <prompt>', 'what a look-up would find, and why it would be served or not; -: from standard input')
    .addOption(cacheOptions.model())
    .addOption(cacheOptions.share())
    .option('--tenant <name>', 'of that tenant only')
    .option(
      '--in <key>',
      'only among answers with the same plan, files and outputs around as the one under that key, see list',
    )
    .action(async (prompt: string, flags: ExplainFlags) =>
      done(await (await import('./commands/cache-explain.js')).cacheExplain(prompt, flags, host)),
    )
  command('evaluate <pairs...>', 'what the cache would have done on pairs of prompts of your own')
    .option('--model <model>', 'a pulled model, a folder, an address, or lexical; default: as for runs')
    .addOption(cacheOptions.share('--share <share>'))
    .addOption(new Option('--limit <n>', 'most pairs, evenly spread').argParser(wholeNumber))
    .addOption(new Option('--show <n>', 'show so many of the wrong answers served').argParser(wholeNumber))
    .addOption(
      new Option('--missed <n>', 'show so many of the rewordings that were not served, and why').argParser(wholeNumber),
    )
    .option('--no-keep', 'keep no embeddings for the next time')
    .option('--json', 'print the result as JSON')
    .action(async (pairs: string[], flags: EvaluateFlags) =>
      done(await (await import('./commands/cache-evaluate.js')).cacheEvaluate(pairs, flags, host)),
    )
}

/** `90m`, `12h`, `30d` in ms. */
function age(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  if (number === '') throw new InvalidArgumentError('expected a time such as 90m, 12h or 30d')
  return Math.round(Number(number) * { s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 }[unit as 's' | 'm' | 'h' | 'd'])
}
