/** The commands that help to begin, as commander knows them. */
import { Argument, Option, type Command } from 'commander'
import { assistants, type Assistant } from './assistant-entries.js'
import { schemas, shells, type SchemaName, type Shell } from './choices.js'
import type { ExitCode, Host } from './host.js'

export function addAssist(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = (usage: string, about: string): Command =>
    program.command(usage).description(about).copyInheritedSettings(program)
  command(
    'init',
    'begin here: an example plan, a configuration for this folder, names of keys, a .gitignore; nothing is written over',
  )
    .argument('[dir]', 'folder; default: this one', '.')
    .addOption(
      new Option('--mcp <assistants...>', 'also the entry by which these find aetherflow mcp').choices(assistants),
    )
    .action(async (folder: string, { mcp = [] }: { mcp?: Assistant[] }) =>
      done(await (await import('./commands/assist.js')).init(folder, mcp, host)),
    )
  command('guide', 'print a card for language models: how to write a plan').action(async () =>
    done((await import('./commands/assist.js')).guide(host)),
  )
  command('schema', 'print a JSON Schema')
    .addArgument(
      new Argument('[what]', 'of a plan, of the lines of run --json, or of a project’s configuration')
        .choices(schemas)
        .default('plan'),
    )
    .action(async (name: SchemaName) => done(await (await import('./commands/assist.js')).schema(name, host)))
  command('completion', 'print a script that completes commands and options; its first line says where it goes')
    .addArgument(new Argument('<shell>').choices(shells))
    .action(async (shell: Shell) => done((await import('./commands/completion.js')).completion(shell, program, host)))
}
