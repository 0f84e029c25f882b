/** `aetherflow mcp`: tools for coding assistants, on standard input and output or over HTTP. */
import { Console } from 'node:console'
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { CoreRun } from '../../../bindings/core.js'
import { oneLine } from '../../../web/standard/format.js'
import { AetherflowError } from '../../index.js'
import { Ledger } from '../../ledger/ledger.js'
import { loadCore } from '../../loader.js'
import { serveHttp, userToken } from '../../mcp/http.js'
import { mcpServer, type ServerParts } from '../../mcp/server.js'
import { ceilingOf, rootOf, type McpSettings } from '../../mcp/settings.js'
import { Toolbox } from '../../mcp/toolbox.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { profileOfFlag } from '../profile-flag.js'

export interface McpFlags {
  readonly root: string
  readonly http?: number
  /** False: `--no-auth`. */
  readonly auth: boolean
  readonly budget?: number
  readonly maxRuns: number
  readonly mode?: string
  readonly simulate?: string
  readonly config?: string
  readonly otel?: true
}

/** Fails: host.usage, host.config, host.io_failed. */
export async function mcp(flags: McpFlags, host: Host): Promise<ExitCode> {
  const settings = await settingsOf(flags, host)
  const ledger = new Ledger(host.env)
  const core = new CoreRun(await loadCore())
  const toolbox = new Toolbox(settings, ledger)
  const parts: ServerParts = {
    toolbox,
    ledger: settings.simulate === undefined ? ledger : undefined,
    tokens: (text) => core.estimateTokens(text),
  }
  try {
    await (flags.http === undefined ? overStdio(parts, host) : overHttp(flags.http, flags.auth, parts, host))
    return exitCodes.ok
  } finally {
    await toolbox.close()
    core.dispose()
  }
}

async function settingsOf(flags: McpFlags, { env, program }: Host): Promise<McpSettings> {
  const { budget, maxRuns, mode, simulate, config } = flags
  if (program === undefined || program === '')
    throw new AetherflowError('host.usage', '', 'runs are processes of this program, and it does not know its own file')
  const settings = {
    root: await rootOf(flags.root),
    env,
    program: [process.execPath, ...process.execArgv, program],
    budgetUsd: budget,
    ...{ maxRuns, mode },
    simulate: simulate === undefined ? undefined : { word: placed(simulate), profile: profileOfFlag(simulate) },
    // Runs work in the root, and these are named from here.
    configFile: config === undefined ? undefined : resolve(config),
    otel: flags.otel === true,
  }
  // A broken configuration is told to anyone who starts the server, not to a model.
  await ceilingOf(settings)
  return settings
}

/** A profile's name, or its file. */
const placed = (word: string): string => (/[./\\]/.test(word) ? resolve(word) : word)

const until = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

async function overStdio(parts: ServerParts, { stdin, stdout, signal }: Host): Promise<void> {
  const { serveStdio, StdioServerTransport } = await import('../../mcp/sdk.js')
  // Standard output is the protocol's alone: a library that prints must not break it.
  globalThis.console = new Console(process.stderr)
  const input = stdin as unknown as Readable
  const transport = new StdioServerTransport(input, stdout as unknown as Writable)
  const ended = new Promise<void>((resolve) => input.once('end', resolve).once('close', resolve))
  const serving = serveStdio(() => mcpServer(parts), { transport })
  await Promise.race([ended, until(signal)])
  await serving.close()
}

async function overHttp(port: number, auth: boolean, parts: ServerParts, { env, stderr, signal }: Host): Promise<void> {
  const { createMcpHandler } = await import('../../mcp/sdk.js')
  const handler = createMcpHandler(() => mcpServer(parts))
  const known = auth ? await userToken(env) : undefined
  const { url, close } = await serveHttp((request) => handler.fetch(request), port, known?.token)
  const words = known === undefined ? 'without a token' : `the token is in ${oneLine(known.file)}`
  stderr.write(`MCP at ${url}, ${words}; Ctrl-C ends it, runs go on\n`)
  await until(signal)
  await handler.close()
  await close()
}
