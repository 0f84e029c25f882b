/** `aetherflow debate` and `aetherflow analyze` as commander knows it. */
import { Option, type Command } from 'commander'
import { patternKinds } from '../../web/standard/patterns/types.js'
import { runOptions } from './run-options.js'
import { wholeNumber } from './cache-flags.js'
import type { AnalyzeFlags } from './commands/analyze.js'
import type { DebateFlags } from './commands/debate.js'
import type { ExitCode, Host } from './host.js'
import { addPolicyOptions } from './policy-flags.js'
import { addKeysFile } from './settings-flags.js'

export function addPatterns(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const top = (usage: string, about: string): Command =>
    addKeysFile(program.command(usage).description(about).copyInheritedSettings(program))
      .addOption(runOptions.simulate())
      .addOption(runOptions.config())
      .addOption(runOptions.seed('the simulator'))

  addPolicyOptions(top('debate <topic>', 'several answers to one question, and what they come to: a debate, a vote, …'))
    .addOption(new Option('--pattern <pattern>', 'default debate').choices(patternKinds))
    .option(
      '--roles <role...>',
      'of debate and consensus: names, or NAME: WHAT IT STANDS FOR; default advocate and challenger',
    )
    .option('--models <model...>', 'providers or models, given to the speakers in turn; default: the route of analysis')
    .option('--judge <model>', 'who judges, compares or criticises')
    .addOption(new Option('--rounds <n>', '1 to 5; default 3, of consensus 2').argParser(wholeNumber))
    .addOption(new Option('--samples <n>', 'answers of vote and best-of; default 3').argParser(wholeNumber))
    .addOption(new Option('--answer-tokens <n>', 'tokens expected in an answer; default 300').argParser(wholeNumber))
    .option('--schema <file>', 'JSON Schema of the answers of vote, best-of and revise')
    .option('--mode <mode>', 'as of run')
    .option('--transcript <file>', 'write the transcript there, as Markdown')
    .option('--journal <dir>', 'keep the run there, so that --resume can continue it')
    .option('--resume', 'go on with the run in --journal; what was said is not asked again')
    .option('--plan', 'print the plan of it instead, for check, explain and run')
    .option('--explain', 'say what it takes at least and at most instead: nothing is called')
    .option('--json', 'print the result as JSON')
    .action(async (topic: string, flags: DebateFlags) =>
      done(await (await import('./commands/debate.js')).debate(topic, flags, host)),
    )
  top('analyze <history>', 'answer by a JSON Schema what a conversation says: a file of turns, or - for standard input')
    .requiredOption('--schema <file>', 'JSON Schema of the answer')
    .option('--instruction <text>', 'what is to be found out; default: what the schema asks for')
    .option('--session <id>', 'whose conversation it is; default: the name of the file')
    .option('--tenant <name>', 'answers of one tenant never serve another')
    .option('--cache <dir>', 'keep answers there for an hour, and take them from there; default: nothing is kept')
    .option('--force', 'ask again, even where an answer is kept')
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
