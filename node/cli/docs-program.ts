/** `aetherflow index` and `aetherflow docs …` as commander knows them. */
import { Option, type Command } from 'commander'
import { wholeNumber } from './cache-flags.js'
import type { DocsFlags, IndexFlags } from './commands/docs.js'
import type { ExitCode, Host } from './host.js'

export function addDocs(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const common = (command: Command): Command =>
    command
      .option('--keep <dir>', 'folder of the index; default: one of the user’s cache folder, by the documents’ path')
      .option('--model <model>', 'compare by meaning too: a pulled model, a folder or an address; default: words alone')
      .option('--json', 'print the result as JSON')
  const top = (usage: string, about: string): Command =>
    program.command(usage).description(about).copyInheritedSettings(program)

  common(top('index [dir]', 'read the documents and programs of a folder into an index, or bring it up to date'))
    .option('--watch', 'stay, and follow what changes')
    .action(async (dir: string | undefined, flags: IndexFlags) =>
      done(await (await import('./commands/docs.js')).index(dir ?? '.', flags, host)),
    )

  const group = common(top('docs [question]', 'find what the documents say, with the places where it stands'))
    .option('--dir <dir>', 'folder of the documents; default: this one')
    .addOption(new Option('--tokens <n>', 'most tokens of all texts; default 2000').argParser(wholeNumber))
    .option('--path <path...>', 'only in these files and folders')
  group.action(async (question: string | undefined, flags: DocsFlags) => {
    if (question === undefined) return group.help({ error: true })
    done(await (await import('./commands/docs.js')).docs(question, flags, host))
  })
  group
    .command('evaluate <set...>')
    .description(
      'how well questions of your own are answered: JSON of {question, correct_chunks}, with sections of its own or not',
    )
    .copyInheritedSettings(program)
    .action(async (files: string[], _: object, command: Command) =>
      done(
        await (
          await import('./commands/docs-evaluate.js')
        ).docsEvaluate(files, command.optsWithGlobals<DocsFlags>(), host),
      ),
    )
}
