/** `aetherflow bench …` as commander knows it. */
import { Option, type Command } from 'commander'
import { collect, runs } from './arguments.js'
import { runOptions as shared } from './run-options.js'
import type { BenchCompareFlags } from './commands/bench-compare.js'
import type { BenchPreloadFlags } from './commands/bench-preload.js'
import type { Sheet } from '../bench/sheet.js'
import type { BenchFlags, BenchSetting } from './commands/bench-sheet.js'
import type { BenchQualityFlags } from './commands/bench-quality.js'
import type { BenchRunFlags } from './commands/bench-runs.js'
import type { TuneFlags } from './commands/tune.js'
import type { ExitCode, Host } from './host.js'
import { documentOptions } from './docs-flags.js'
import { addPolicyOptions } from './policy-flags.js'
import { addKeysFile } from './settings-flags.js'

export function addBench(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const bench = program
    .command('bench')
    .description('measure on this machine what the documents promise')
    .copyInheritedSettings(program)
  addRuns(bench, host, done)
  addSheets(bench, host, done)
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

/** Benchmarks that tell a sheet: one for each thing that makes runs cheaper or faster. */
function addSheets(bench: Command, host: Host, done: (code: ExitCode) => void): void {
  const sheet = (
    name: string,
    description: string,
    load: () => Promise<(setting: BenchSetting) => Promise<Sheet>>,
  ): void => {
    sheetCommand(bench, name, description).action(async (plan: string | undefined, flags: BenchFlags) => {
      const { tellBench } = await import('./commands/bench-sheet.js')
      done(await tellBench(plan, flags, host, await load()))
    })
  }
  sheet(
    'stripping',
    'a plan with stripped prompts and as written, simulated',
    async () => (await import('../bench/stripping.js')).benchStripping,
  )
  sheet(
    'constraints',
    'a plan with output constraints and without, simulated',
    async () => (await import('../bench/constraints.js')).benchConstraints,
  )
  sheet(
    'parallel',
    'a plan whose steps run at once, and one call at a time, simulated',
    async () => (await import('../bench/parallel.js')).benchParallel,
  )
  sheet(
    'semantic-cache',
    'a plan with an empty cache, again, and in other words, simulated',
    async () => (await import('../bench/semantic-cache.js')).benchSemanticCache,
  )
  sheet(
    'prompt-cache',
    'prompts made for the providers’ caches, against each step for itself, simulated',
    async () => (await import('../bench/prompt-cache.js')).benchPromptCache,
  )
  sheet(
    'draft',
    'a plan with drafts that are verified, and without them, simulated',
    async () => (await import('../bench/draft.js')).benchDraft,
  )
}

/** What runs plans, and what compares such results. */
function addRuns(bench: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = (usage: string, about: string): Command =>
    bench.command(usage).description(about).copyInheritedSettings(bench)
  runOptions(
    bench
      .command('plan <plan>', { isDefault: true })
      .description('a plan, once or several times: time, cost, tokens, success, latencies, questions for the planner')
      .copyInheritedSettings(bench),
  )
    .addOption(
      new Option('--arm <name=config>', 'what is changed: settings or a file, as of a suite').argParser(collect),
    )
    .action(async (plan: string, flags: BenchRunFlags) =>
      done(await (await import('./commands/bench-runs.js')).benchPlan(plan, flags, host)),
    )
  labelOptions(runOptions(command('suite <plans...>', 'plans, once per arm and repeat, in pairs')))
    .addOption(
      new Option(
        '--arm <name=config>',
        'settings (mode=fast,strip=off,providers=groq+gemini,concurrency=groq:2,cache=exact,promptCache=off,draft=auto,optimize=on) or a file; repeatable, the first is the baseline',
      ).argParser(collect),
    )
    .action(async (plans: string[], flags: BenchRunFlags) =>
      done(await (await import('./commands/bench-runs.js')).benchSuite(plans, flags, host)),
    )
  labelOptions(
    runOptions(command('quality', 'exercises in JavaScript and Python; hidden tests run on the answers in a box')),
  )
    .addOption(new Option('--arm <name=config>', 'as of a suite').argParser(collect))
    .addOption(new Option('--language <language>', 'only these exercises').choices(['javascript', 'python']))
    .option('--self-check', 'call nothing: the known solutions must pass, and wrong ones fail')
    .action(async (flags: BenchQualityFlags) =>
      done(await (await import('./commands/bench-quality.js')).benchQuality(flags, host)),
    )
  labelOptions(command('compare <a> <b>', 'two earlier results, such as before and after a change'))
    .option('--output <dir>', 'write comparison_report.md, comparison_report.html and comparison_data.json there')
    .option('--json', 'print the result as JSON')
    .action(async (a: string, b: string, flags: BenchCompareFlags) =>
      done(await (await import('./commands/bench-compare.js')).benchCompare(a, b, flags, host)),
    )
}

const labelOptions = (command: Command): Command =>
  command
    .option('--baseline-label <name>', 'name of what is compared with')
    .option('--optimized-label <name>', 'name of what is compared')

const runOptions = (command: Command): Command =>
  addKeysFile(addPolicyOptions(command))
    .addOption(
      new Option('--repeat <n>', 'runs of each plan and arm; default 1 for a plan, 6 for a suite').argParser(runs),
    )
    .option('--output <dir>', 'write reports and data there; default: below aetherflow-out')
    .option('--allow-checks', 'tests and commands of a plan may run on real answers, in a box')
    .addOption(documentOptions.dir())
    .addOption(documentOptions.model())
    .option('--targets <file>', 'targets of the plan: bounds of figures, as JSON')
    .addOption(shared.mode())
    .addOption(shared.simulate(', on a virtual clock'))
    .addOption(shared.config())
    .addOption(shared.concurrency())
    .addOption(shared.seed('the first run; default 1'))
    .option('--json', 'print the data as JSON')

/** `tune`: what benchmarks teach. */
export const addTune = (program: Command, host: Host, done: (code: ExitCode) => void): Command =>
  program
    .command('tune <results...>')
    .description('write a routing table from measured results, where they decide')
    .copyInheritedSettings(program)
    .addOption(
      new Option('--objective <what>', 'what is to become less, or better')
        .choices(['cost', 'time', 'quality'])
        .default('cost'),
    )
    .option('--mode <mode>', 'the mode whose rules are tuned', 'build')
    .addOption(shared.config())
    .option('--out <file>', 'write the configuration there instead of printing it')
    .option('--json', 'print every decision and the configuration as JSON')
    .action(async (results: string[], flags: TuneFlags) =>
      done(await (await import('./commands/tune.js')).tuneCommand(results, flags, host)),
    )

/** `bench NAME [plan]` of a benchmark that tells a sheet: its command with the flags of all such (see `BenchFlags`). */
export const sheetCommand = (bench: Command, name: string, description: string): Command =>
  bench
    .command(`${name} [plan]`)
    .description(description)
    .copyInheritedSettings(bench)
    .addOption(new Option('--runs <n>', 'pairs of runs; default 10').argParser(runs))
    .addOption(shared.seed('the first pair; default 1'))
    .option('--profile <profile>', 'simulated profile: default, mission, instant, flaky, or a file of your own')
    .option('--json', 'print the result as JSON')
    .option('--markdown', 'print the result as Markdown')
    .option('--out <file>', 'write it to a file instead')
