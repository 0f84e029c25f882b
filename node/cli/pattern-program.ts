/** `aetherflow analyze` as commander knows it. */
import { Option, type Command } from 'commander'
import { seed } from './arguments.js'
import { wholeNumber } from './cache-flags.js'
import type { AnalyzeFlags } from './commands/analyze.js'
import type { ExitCode, Host } from './host.js'
import { addKeysFile } from './settings-flags.js'

export function addPatterns(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const top = (usage: string, about: string): Command =>
    addKeysFile(program.command(usage).description(about).copyInheritedSettings(program))
      .addOption(
        new Option(
          '--simulate [profile]',
          'play the providers: default, mission, instant, flaky, or --simulate=FILE.json',
        ),
      )
      .addOption(new Option('--config <file>', 'configuration instead of the user’s own'))
      .addOption(new Option('--seed <n>', 'seed of the simulator').argParser(seed))

  top('analyze <history>', 'answer by a JSON Schema what a conversation says: a file of turns, or - for standard input')
    .requiredOption('--schema <file>', 'JSON Schema of the answer')
    .option('--instruction <text>', 'what is to be found out; default: what the schema asks for')
    .option('--session <id>', 'whose conversation it is; default: the name of the file')
    .option('--tenant <name>', 'answers of one tenant never serve another')
    .option('--cache <dir>', 'keep answers there for an hour, and take them from there; default: nothing is kept')
    .option('--force', 'ask anew, whatever is kept')
    .option('--no-persist', 'keep nothing of this answer')
    .addOption(
      new Option(
        '--history-tokens <n>',
        'most tokens of the conversation, whole turns, the newest first; default 6000',
      ).argParser(wholeNumber),
    )
    .option('--mode <mode>', 'whose models are asked, in their order; default analysis-fast')
    .option('--json', 'print the answer with its model, cost, time and what of the conversation was seen')
    .action(async (file: string, flags: AnalyzeFlags) =>
      done(await (await import('./commands/analyze.js')).analyze(file, flags, host)),
    )
}
