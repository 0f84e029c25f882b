/**
 * A process that carries out command lines one after another: what a start costs is paid once. Each has its own words, input, folder
 * and environment, and the program's own `main`; what only a process of its own can show is tested with one (cli-process.test.ts).
 */
import { Readable } from 'node:stream'
import { main } from '../../node/cli/program.js'
import { systemClock as clock } from '../../web/standard/clock.js'
import type { CommandLine, Ended } from './commands.js'

const [, , program = ''] = process.argv

async function carryOut({ words, input, cwd, env }: CommandLine): Promise<Ended> {
  process.chdir(cwd)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  const ended = { code: null as number | null, stdout: '', stderr: '' }
  const code = await main(words, {
    stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
    stdout: { write: (text: string) => (ended.stdout += text) },
    stderr: { write: (text: string) => (ended.stderr += text) },
    env: process.env,
    clock,
    program,
    signal: new AbortController().signal,
  })
  return { ...ended, code }
}

process.on('message', (line: CommandLine) => {
  carryOut(line).then(
    (ended) => process.send!(ended),
    // `main` never throws: anyone who waits is told, and the test fails.
    (error: unknown) => process.send!({ code: null, stdout: '', stderr: String(error) }),
  )
})
