/** `serve`, as commander knows it. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { runOptions } from './run-options.js'
import { collect, port } from './arguments.js'
import { cacheOptions } from './cache-flags.js'
import type { ServeFlags } from './commands/serve.js'
import type { ExitCode, Host } from './host.js'
import { addKeysFile } from './settings-flags.js'

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('expected a number of seconds')
  return Number(text)
}

export function addServe(program: Command, host: Host, done: (code: ExitCode) => void): void {
  const command = program
    .command('serve')
    .description('an OpenAI-compatible server for other software, on this machine alone unless told otherwise')
    .copyInheritedSettings(program)
  addKeysFile(command)
    .addOption(new Option('--port <n>', 'port; 0: any that is free').argParser(port).default(4748))
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--keys <file>', 'the keys of callers, made when it is missing; default: beside the configuration')
    .option('--no-auth', 'ask for no key; on the loopback interface alone')
    .addOption(
      new Option('--allowed-host <name>', 'another name that the server answers to; repeatable').argParser(collect),
    )
    .addOption(new Option('--cors-origin <origin>', 'pages of it may call; repeatable').argParser(collect))
    .addOption(new Option('--simulate [profile]', 'play the providers, as of run'))
    .addOption(runOptions.config())
    .option('--cache <dir>', 'keep answers there, and take them from there')
    .addOption(cacheOptions.model())
    .addOption(cacheOptions.share())
    .option('--limits <address>', 'share limits and budgets with other machines, on a Redis server: redis://…')
    .option('--workers <address>', 'let workers make the calls, over a Redis server; see aetherflow worker')
    .option('--runs <address>', 'keep runs on a Redis server, where other servers see them and go on with them')
    .addOption(
      new Option(
        '--lease <seconds>',
        'another server takes the runs of one that is silent for so long; default: 10',
      ).argParser(seconds),
    )
    .option(
      '--otel',
      'spans and metrics through @opentelemetry/api, which is installed beside this and set up by --import',
    )
    .option('--embedder <model>', 'answer /v1/embeddings by this model: see aetherflow model')
    .option('--state <dir>', 'where runs and what keys have spent are kept; default: the user’s state folder')
    .addOption(
      new Option('--grace <seconds>', 'when the server ends, so long may requests take').argParser(seconds).default(10),
    )
    .action(async (flags: ServeFlags) => {
      // No other command waits for it.
      const { serve } = await import('./commands/serve.js')
      done(await serve(flags, host))
    })
}
