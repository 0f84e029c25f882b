/**
 * The command line as commander knows it. Each command resolves to an exit code; nothing here ends the process. What a command
 * does is loaded when it is called: nobody waits for the others.
 */
import { Command, CommanderError, Option } from 'commander'
import { AetherflowError } from '../../bindings/errors.js'
import { collect, port, record, sync, unambiguous } from './arguments.js'
import { runOptions } from './run-options.js'
import { cacheOptions } from './cache-flags.js'
import { addBench, addTune } from './bench-program.js'
import { addAssist } from './assist-program.js'
import { addCache } from './cache-program.js'
import type { ApplyFlags } from './commands/apply.js'
import type { CheckFlags } from './commands/check.js'
import type { ExplainFlags } from './commands/explain.js'
import type { GenerateFlags } from './commands/generate.js'
import type { PlaygroundFlags } from './commands/playground.js'
import type { ProvidersFlags } from './commands/providers.js'
import type { ReplayFlags } from './commands/replay.js'
import type { RunFlags } from './commands/run.js'
import { documentOptions } from './docs-flags.js'
import { addDocs } from './docs-program.js'
import { exitCodeOf, tellFailure } from './failure.js'
import { exitCodes, type ExitCode, type Host } from './host.js'
import { addMcp } from './mcp-program.js'
import { addPatterns } from './pattern-program.js'
import { addServe } from './serve-program.js'
import { addModel } from './model-program.js'
import { addPolicyOptions } from './policy-flags.js'
import { addKeysFile, takeKeysFiles } from './settings-flags.js'
import { watching } from './watch.js'
import { addWorkers } from './workers-program.js'
import { packageVersion } from '../version.js'

const options = {
  ...runOptions,
  promptCache: () =>
    new Option(
      '--prompt-cache <use>',
      'wait for what steps share to be read once: auto (default, where it pays), always or off',
    ).choices(['auto', 'always', 'off']),
  json: (what: string) => new Option('--json', what),
  watch: (when = ' whenever the plan’s file has changed') => new Option('--watch', `again${when}; Ctrl-C ends`),
}

type WatchedFlags<Flags> = Flags & { readonly watch?: true }

/** Once, or with `--watch` after every change. */
const again = (
  plan: string | undefined,
  { watch }: { readonly watch?: true },
  host: Host,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> => (watch ? watching(plan, host, work) : work())

function named(plan: string | undefined): string {
  if (plan === undefined) throw new AetherflowError('host.usage', '--dry-run', 'name a plan')
  return plan
}

/** Runs the command line. Never throws: errors are told on stderr and become exit codes. */
export async function main(words: readonly string[], host: Host): Promise<ExitCode> {
  let code: ExitCode = exitCodes.ok
  const program = programOf(host, (result) => {
    code = result
  })
  try {
    await program.parseAsync(unambiguous(words), { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return usageFailure(error, host)
    tellFailure(error, host)
    return exitCodeOf(error)
  }
}

/** Help and version are no failures; the rest of commander's complaints is usage. */
function usageFailure(error: CommanderError, host: Host): ExitCode {
  if (error.exitCode === 0) return exitCodes.ok
  // `aetherflow` alone prints its help, to stderr as commander does, and nothing more is to say.
  if (error.code !== 'commander.help')
    tellFailure(new AetherflowError('host.usage', '', error.message.replace(/^error: /, '')), host)
  return exitCodes.usage
}

function programOf(host: Host, done: (code: ExitCode) => void): Command {
  const program = new Command('aetherflow')
    .description('Runs LLM plans: each step on the provider that suits it, in parallel.')
    .version(packageVersion(), '--version')
    .helpOption('--help')
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      // Told by `tellFailure`, like every other error.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 all done, 1 some step failed, 2 bad plan or usage, 130 interrupted.')
  addCommands(program, host, done)
  addAssist(program, host, done)
  addPatterns(program, host, done)
  addMcp(program, host, done, main)
  addServe(program, host, done)
  addWorkers(program, host, done)
  takeKeysFiles(program)
  return program
}

function addDrafts(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const known = program
    .command('drafts')
    .description('what runs have learnt of drafts, by type of step and pair of models')
    .copyInheritedSettings(program)
    .addOption(options.json('print it as JSON'))
    .action(async (flags: { readonly json?: true }) =>
      done(await (await import('./commands/drafts.js')).drafts(flags, host)),
    )
  known
    .command('export [file]')
    .description('write it as JSON, to a file or to the screen')
    .copyInheritedSettings(program)
    .action(async (file: string | undefined) =>
      done(await (await import('./commands/drafts.js')).exportDrafts(file, host)),
    )
  known
    .command('reset')
    .description('forget it')
    .copyInheritedSettings(program)
    .action(async () => done(await (await import('./commands/drafts.js')).resetDrafts(host)))
}

function addCommands(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = (usage: string, about: string): Command =>
    program.command(usage).description(about).copyInheritedSettings(program)
  addRun(command('run [plan]', 'run a plan; - reads it from standard input and starts before its end'), host, done)
  addReading(command, host, done)
  addKeysFile(command('generate <prompt>', 'answer one prompt; the answer goes to stdout, the summary to stderr'))
    .option('--type <type>', 'type of the step, which decides its route and role; default: none')
    .addOption(options.mode())
    .addOption(options.simulate())
    .addOption(options.config())
    .action(async (prompt: string, flags: GenerateFlags) =>
      done(await (await import('./commands/generate.js')).generate(prompt, flags, host)),
    )
  addKeysFile(command('providers', 'list the providers: keys, whether they answer, models, prices, money left'))
    .addOption(options.config())
    .addOption(options.simulate())
    .option('--offline', 'ask no provider')
    .addOption(options.json('print the list as JSON'))
    .action(async (flags: ProvidersFlags) =>
      done(await (await import('./commands/providers.js')).providers(flags, host)),
    )
  addDrafts(program, host, done)
  command('replay <dir>', 'decide a run once more from its journal, without any call, and compare')
    .addOption(new Option('--until <n>', 'stop after that record, and show the run as it was then').argParser(record))
    .addOption(options.json('print the result as JSON'))
    .action(async (dir: string, flags: ReplayFlags) =>
      done(await (await import('./commands/replay.js')).replay(dir, flags, host)),
    )
  command('apply <dir>', 'write the answers of a run to their targets in the project, or take them back')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--undo', 'put back what stood there before, to the byte')
    .option('--only <step>', 'this step alone')
    .option('--files <dir>', 'folder of the project; default: the working folder')
    .option('--quiet', 'no diffs')
    .addOption(options.json('print the changes as JSON'))
    .action(async (dir: string, flags: ApplyFlags) =>
      done(await (await import('./commands/apply.js')).apply(dir, flags, host)),
    )
  addCache(program, host, done)
  addDocs(program, host, done)
  command('playground', 'open the playground: a page that draws, runs and explains plans, on this machine alone')
    .addOption(new Option('--port <n>', 'port on 127.0.0.1; 0: any that is free').argParser(port).default(4747))
    .action(async (flags: PlaygroundFlags) =>
      done(await (await import('./commands/playground.js')).playground(flags, host)),
    )
  addModel(program, host, done)
  addBench(program, host, done)
  addTune(program, host, done)
}

/** What reads a plan and calls nothing. */
function addReading(
  command: (usage: string, about: string) => Command,
  host: Host,
  done: (code: ExitCode) => void,
): void {
  command('check <plan>', 'say what is wrong with a plan')
    .option('--dot', 'print its graph in the DOT language')
    .option('--files <dir>', 'folder of the context files; default: that of the plan')
    .addOption(allowFile())
    .addOption(documentOptions.dir())
    .addOption(documentOptions.model())
    .addOption(options.mode())
    .addOption(options.config())
    .addOption(options.json('print steps and warnings as JSON'))
    .addOption(options.watch())
    .action(async (plan: string, flags: CheckFlags) => {
      const { check } = await import('./commands/check.js')
      done(await again(plan, flags, host, () => check(plan, flags, host)))
    })
  addKeysFile(addPolicyOptions(command('explain <plan>', 'show routes, times and cost of a plan without running it')))
    .addOption(options.mode())
    .addOption(options.simulate())
    .addOption(options.config())
    .addOption(options.concurrency())
    .addOption(options.promptCache())
    .option('--files <dir>', 'folder of the context files; default: that of the plan')
    .addOption(allowFile())
    .addOption(documentOptions.dir())
    .addOption(documentOptions.model())
    .addOption(options.json('print the explanation as JSON'))
    .option('--prompts', 'print the prompts that the steps would send instead; outputs in them are simulated')
    .addOption(options.watch())
    .action(async (plan: string, flags: ExplainFlags) => {
      const show = flags.prompts
        ? (await import('./commands/explain-prompts.js')).explainPrompts
        : (await import('./commands/explain.js')).explain
      done(await again(plan, flags, host, () => show(plan, flags, host)))
    })
}

const allowFile = (): Option =>
  new Option(
    '--allow-file <path>',
    'a context file or folder that may be sent though it is hidden or named as keys are',
  ).argParser(collect)

function addRun(command: Command, host: Host, done: (code: ExitCode) => void): void {
  addKeysFile(addPolicyOptions(command))
    .option(
      '--output <dir>',
      'keep step_outputs/, run.json, the report and the journal there; default: below aetherflow-out',
    )
    .option('--no-output', 'keep nothing, and print the outputs that no other step takes up')
    .option('--open', 'show the report in the browser when the run is over')
    .option('--files <dir>', 'folder of the context files; default: that of the plan')
    .addOption(allowFile())
    .addOption(documentOptions.dir())
    .addOption(documentOptions.model())
    .option('--resume', 'resume the run in --output; its plan need not be named again')
    .option('--reuse', 'as --resume; a changed plan, or undone steps, begin a new run that keeps what still matches')
    .option('--take-over', 'take the run from an owner on another machine that is gone for certain')
    .option('--no-journal', 'keep no journal: the run cannot be resumed')
    .addOption(
      new Option('--sync <when>', 'flush the journal: always (default), never, or once in so many ms').argParser(sync),
    )
    .addOption(options.mode())
    .addOption(options.simulate())
    .addOption(options.config())
    .addOption(options.concurrency())
    .addOption(options.promptCache())
    .addOption(options.json('print every event as one JSON line, the result last'))
    .option('--quiet', 'print failures and one line at the end')
    .addOption(options.seed('the simulator and of searches'))
    .addOption(
      new Option('--cache <dir>', 'keep answers there, and take them from there; off: not (default: nothing is kept)'),
    )
    .addOption(cacheOptions.model())
    .addOption(cacheOptions.share())
    .option('--tenant <name>', 'whose answers: those of one tenant never serve another')
    .option('--limits <address>', 'share limits with the processes of other machines, on a Redis server: redis://…')
    .option('--workers <address>', 'let workers make the calls, over a Redis server: redis://…; see aetherflow worker')
    .option('--optimize', 'look further ahead before a place is given away: ten times the computing')
    .option('--keep-prompts', 'keep every prompt as it was sent, in prompts/ beside the outputs')
    .option('--otel', 'spans and metrics through @opentelemetry/api, as of serve; continues the trace of TRACEPARENT')
    .option('--allow-checks', 'run the commands and tests that steps name to check answers, in a box without network')
    .option('--apply', 'when all is done, write the answers that have a target; aetherflow apply takes them back')
    .option('--dry-run', 'explain the plan with the same options instead: nothing is called and nothing kept')
    .addOption(options.watch(', with --reuse, whenever the plan’s file has changed'))
    .action(async (plan: string | undefined, flags: WatchedFlags<RunFlags>) => {
      if (flags.dryRun) {
        const { explain } = await import('./commands/explain.js')
        return done(await explain(named(plan), flags as ExplainFlags, host))
      }
      const { run } = await import('./commands/run.js')
      const kept = flags.watch ? { ...flags, reuse: true as const } : flags
      done(await again(plan, flags, host, () => run(plan, kept, host)))
    })
}
