/** The server of one connection, or of one HTTP request, in either era of the protocol: the same tools behind both. */
import { AetherflowError } from '../../bindings/errors.js'
import { callerName, type Ledger } from '../ledger/ledger.js'
import { planCard } from '../plan-card.js'
import { packageVersion } from '../version.js'
import { answer, errorLines, refusal } from './answers.js'
import { argumentsFault, type ArgumentsSchema } from './arguments.js'
import { runText } from './run-words.js'
import {
  fromJsonSchema,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type CallToolResult,
  type InputRequiredResult,
  type JsonSchemaType,
  type jsonSchemaValidator,
  type ServerContext,
} from './sdk.js'
import { budgetQuestion, mayAsk, saidBudget } from './questions.js'
import type { Starter } from './runs.js'
import { createdTask, detailedTask, mustTakeTasks, takesTasks, tasksExtension } from './tasks.js'
import { RefusedPlan, type ToolArguments, type Toolbox } from './toolbox.js'
import { instructions, tools, type ToolEntry } from './tools.js'
import { awaitEnd, type Watcher } from './waiting.js'

export interface ServerParts {
  readonly toolbox: Toolbox
  /** Undefined: nothing is counted, as of simulated runs. */
  readonly ledger: Ledger | undefined
  /** Of a text, estimated. */
  readonly tokens: (text: string) => number
}

/** The SDK's own messages are about JSON Schema; a model acts on these better. */
const validator: jsonSchemaValidator = {
  getValidator:
    <T>(schema: unknown) =>
    (input: unknown) => {
      const fault = argumentsFault(schema as ArgumentsSchema, input)
      return fault === ''
        ? { valid: true as const, data: input as T, errorMessage: undefined }
        : { valid: false as const, data: undefined, errorMessage: fault }
    },
}

/** Lists do not change while the server lives; a client may keep them for an hour. */
const listed = { ttlMs: 3_600_000, cacheScope: 'public' } as const

export function mcpServer(parts: ServerParts): McpServer {
  const server = new McpServer(
    { name: 'aetherflow', version: packageVersion() },
    {
      capabilities: { tools: {}, prompts: {}, extensions: { [tasksExtension]: {} } },
      instructions,
      cacheHints: { 'tools/list': listed, 'prompts/list': listed, 'server/discover': listed },
    },
  )
  for (const entry of tools) {
    const { name, description, annotations } = entry
    const inputSchema = fromJsonSchema<ToolArguments>(entry.inputSchema as unknown as JsonSchemaType, validator)
    server.registerTool(name, { description, inputSchema, annotations }, (given, context) =>
      call(entry, given, context, aboutClient(server, context), parts),
    )
  }
  addPrompt(server)
  addTasks(server, parts)
  return server
}

/** The client by the name that it gives itself. */
function callerOf(server: McpServer, { mcpReq }: ServerContext): string {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {}
  const told = envelope['io.modelcontextprotocol/clientInfo'] as { name?: unknown } | undefined
  const name = told?.name ?? server.server.getClientVersion()?.name
  return callerName(typeof name === 'string' ? `mcp:${name}` : 'mcp')
}

/** What is known of the caller. */
interface Caller extends Starter {
  /** Its user can be asked. */
  readonly asks: boolean
}

function aboutClient(server: McpServer, context: ServerContext): Caller {
  const asks = mayAsk(context, server.server.getClientCapabilities())
  return { caller: callerOf(server, context), trace: traceOf(context), asks }
}

async function call(
  { name }: ToolEntry,
  given: ToolArguments,
  context: ServerContext,
  caller: Caller,
  parts: ServerParts,
): Promise<CallToolResult | InputRequiredResult> {
  let result: CallToolResult | InputRequiredResult
  try {
    result = await work(name, given, context, caller, parts.toolbox)
  } catch (error) {
    result = refusal(error instanceof RefusedPlan ? error.message : errorLines(error).join('\n'))
  }
  await count(name, caller.caller, JSON.stringify(given), textOf(result), parts)
  return result
}

/** What a model reads of it: a question is for its user. */
const textOf = (result: CallToolResult | InputRequiredResult): string =>
  isAnswer(result) ? result.content.map((part) => (part.type === 'text' ? part.text : '')).join('') : ''

const isAnswer = (result: CallToolResult | InputRequiredResult): result is CallToolResult => 'content' in result

/** What the assistant wrote and was told. A ledger that cannot be written takes nothing from an answer. */
async function count(
  tool: string,
  by: string,
  asked: string,
  told: string,
  { ledger, tokens }: ServerParts,
): Promise<void> {
  const record = { at: new Date().toISOString(), by, tool, asked: tokens(asked), told: tokens(told) }
  await ledger?.add([record]).catch(() => undefined)
}

function work(
  name: string,
  given: ToolArguments,
  context: ServerContext,
  caller: Caller,
  toolbox: Toolbox,
): Promise<CallToolResult | InputRequiredResult> {
  const watcher = watcherOf(context)
  switch (name) {
    case 'check_plan':
      return toolbox.checkPlan(given)
    case 'explain_plan':
      return toolbox.explainPlan(given)
    case 'run_plan':
      return runPlan(given, context, caller, toolbox, watcher)
    case 'run_status':
      return toolbox.runStatus(given, watcher)
    case 'read_output':
      return toolbox.readOutput(given)
    case 'cancel_run':
      return toolbox.cancelRun(given, watcher)
    case 'search_docs':
      return toolbox.searchDocs(given, context.mcpReq.signal)
    default:
      return toolbox.usage(given)
  }
}

async function runPlan(
  given: ToolArguments,
  context: ServerContext,
  caller: Caller,
  toolbox: Toolbox,
  watcher: Watcher,
): Promise<CallToolResult | InputRequiredResult> {
  const said = saidBudget(context)
  if (said === undefined && caller.asks) {
    const about = await toolbox.unpriced(given)
    if (about !== undefined) return budgetQuestion(about)
  }
  const run = await toolbox.startRun(said === undefined ? given : { ...given, budget_usd: said }, caller)
  if (takesTasks(context)) return createdTask(run)
  return answer(runText(await awaitEnd(toolbox.runs, run.record.id, given.wait_ms ?? 0, watcher)))
}

/** The trace that a call is in, by the variables that are usual between processes. */
function traceOf({ mcpReq }: ServerContext): Readonly<Record<string, string>> | undefined {
  const meta: Readonly<Record<string, unknown>> = mcpReq._meta ?? {}
  const { traceparent, tracestate, baggage } = meta
  const named = { TRACEPARENT: traceparent, TRACESTATE: tracestate, BAGGAGE: baggage }
  if (typeof traceparent !== 'string') return undefined
  // Of a length that no variable of a process minds.
  const fits = (value: unknown): value is string => typeof value === 'string' && value.length <= 8192
  return Object.fromEntries(Object.entries(named).filter((pair): pair is [string, string] => fits(pair[1])))
}

function watcherOf({ mcpReq }: ServerContext): Watcher {
  const { progressToken } = (mcpReq._meta ?? {}) as { progressToken?: string | number }
  return {
    signal: mcpReq.signal,
    progress: async (progress, total) => {
      if (progressToken === undefined) return
      const params = { progressToken, progress, total, message: `${progress} of ${total} steps ended` }
      await mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined)
    },
  }
}

function addPrompt(server: McpServer): void {
  const task = { type: 'object', properties: { task: { type: 'string', description: 'What is to be done.' } } } as const
  server.registerPrompt(
    'write_plan',
    {
      description: 'How to write a plan, and a task to write one for',
      argsSchema: fromJsonSchema<{ task?: string }>(task),
    },
    ({ task: words = '' }) => ({
      messages: [
        { role: 'user', content: { type: 'text', text: words === '' ? planCard : `${planCard}\nThe task: ${words}` } },
      ],
    }),
  )
}

function addTasks(server: McpServer, parts: ServerParts): void {
  const { runs } = parts.toolbox
  const params = fromJsonSchema<{ taskId: string }>({
    type: 'object',
    properties: { taskId: { type: 'string' } },
    required: ['taskId'],
  })
  const find = (id: string) =>
    runs.find(id).catch((error: unknown) => {
      if (!(error instanceof AetherflowError) || error.code !== 'host.usage') throw error
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'there is no such task')
    })
  server.server.setRequestHandler('tasks/get', { params }, async ({ taskId }, context) => {
    mustTakeTasks(context)
    const task = detailedTask(await find(taskId))
    // Clients ask no more once they have the result.
    if (task.result !== undefined) await count('run_plan', callerOf(server, context), '', textOf(task.result), parts)
    return task
  })
  server.server.setRequestHandler('tasks/update', { params }, async ({ taskId }, context) => {
    mustTakeTasks(context)
    // No run asks for anything: there is nothing to take.
    await find(taskId)
    return {}
  })
  server.server.setRequestHandler('tasks/cancel', { params }, async ({ taskId }, context) => {
    mustTakeTasks(context)
    await runs.cancel(await find(taskId))
    return {}
  })
}
