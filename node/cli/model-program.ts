/** `aetherflow model …` as commander knows it. */
import type { Command } from 'commander'
import type { ModelListFlags, PullFlags } from './commands/model.js'
import type { ExitCode, Host } from './host.js'

export function addModel(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const model = program
    .command('model')
    .description('models that the semantic cache compares prompts with')
    .copyInheritedSettings(program)
  const command = (usage: string, about: string): Command =>
    model.command(usage).description(about).copyInheritedSettings(program)
  command(
    'pull [name]',
    'fetch a model into the cache folder; default: all-MiniLM-L6-v2. What has arrived is never fetched again',
  )
    .option('--url <base>', 'address below which its files lie, instead of the hub’s')
    .option('--to <dir>', 'folder, instead of one in the cache folder')
    .option('--file <file>', 'which .onnx file to take')
    .option('--json', 'print every event as one JSON line, the result last')
    .action(async (name: string | undefined, flags: PullFlags) =>
      done(await (await import('./commands/model.js')).modelPull(name, flags, host)),
    )
  command('list', 'the models that were pulled')
    .option('--verify', 'read every file and compare its checksum')
    .option('--json', 'print the list as JSON')
    .action(async (flags: ModelListFlags) => done(await (await import('./commands/model.js')).modelList(flags, host)))
  command('path [name]', 'print the folder of a pulled model, or of all of them').action(
    async (name: string | undefined) => done((await import('./commands/model.js')).modelPath(name, host)),
  )
}
