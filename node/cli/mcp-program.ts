/** `mcp` and `usage`, as commander knows them. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { runOptions } from './run-options.js'
import { port } from './arguments.js'
import type { McpFlags } from './commands/mcp.js'
import type { CommandLine } from './commands/mcp-runner.js'
import type { UsageFlags } from './commands/usage.js'
import type { ExitCode, Host } from './host.js'
import { amount } from './policy-flags.js'
import { addKeysFile } from './settings-flags.js'

function days(text: string): number {
  const value = Number(text)
  if (!/^\d{1,4}$/.test(text) || value < 1) throw new InvalidArgumentError('expected a number of days from 1 to 9999')
  return value
}

function runs(text: string): number {
  const value = Number(text)
  if (!/^\d{1,2}$/.test(text) || value < 1) throw new InvalidArgumentError('expected a number from 1 to 99')
  return value
}

/** `commandLine`: this program once more, for runs in one process. */
export function addMcp(program: Command, host: Host, done: (code: ExitCode) => void, commandLine: CommandLine): void {
  const command = (usage: string, about: string): Command =>
    program.command(usage).description(about).copyInheritedSettings(program)
  addKeysFile(
    command('mcp', 'tools for coding assistants over the Model Context Protocol: on stdin and stdout, or --http'),
  )
    .option('--root <dir>', 'folder that plans, their files and documents lie below', '.')
    .addOption(
      new Option('--http [port]', 'serve on 127.0.0.1 instead, with a token; 0: any free port')
        .argParser(port)
        .preset(8791),
    )
    .option('--no-auth', 'with --http: no token; every program of this machine may then start runs')
    .addOption(
      new Option('--budget <usd>', 'most money of a run; a run may ask for less, and without this it has to').argParser(
        amount,
      ),
    )
    .addOption(new Option('--max-runs <n>', 'most runs at once').argParser(runs).default(4))
    .option('--mode <mode>', 'of runs that name none: fast, build (default), double-check, or one of the configuration')
    .addOption(new Option('--simulate [profile]', 'play the providers, as of run').argParser(String))
    .addOption(runOptions.config())
    .option(
      '--otel',
      'runs tell OpenTelemetry of themselves, as of run --otel, in the trace of the call that started them',
    )
    .action(async (flags: McpFlags) => {
      // The protocol's library is large: no other command waits for it.
      const { mcp } = await import('./commands/mcp.js')
      done(await mcp(flags, host))
    })
  addRunner(program, host, done, commandLine)
  command(
    'usage',
    'what runs of this user have used: by day, provider and caller, and what stayed off an assistant’s quota',
  )
    .addOption(new Option('--days <n>', 'so many days, today among them').argParser(days).default(30))
    .option('--json', 'print the sums as JSON')
    .action(async (flags: UsageFlags) => done(await (await import('./commands/usage.js')).usage(flags, host)))
}

/** What `mcp` starts; nothing for people. */
function addRunner(program: Command, host: Host, done: (code: ExitCode) => void, commandLine: CommandLine): void {
  program.command('mcp-runner <dir>', { hidden: true }).action(async (dir: string) => {
    const { mcpRunner } = await import('./commands/mcp-runner.js')
    done(await mcpRunner(dir, host, commandLine))
  })
}
