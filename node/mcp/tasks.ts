/**
 * The extension io.modelcontextprotocol/tasks of 2026-07-28: to a client that declares it, run_plan answers with a task, which the client
 * polls, and whose result is the run's summary. A task is its run: the same handle, the same life. Others get the handle itself.
 */
import { answer } from './answers.js'
import { runText, stateWords } from './run-words.js'
import type { KnownRun } from './runs.js'
import { ProtocolError, ProtocolErrorCode, type CallToolResult, type ServerContext } from './sdk.js'

export const tasksExtension = 'io.modelcontextprotocol/tasks'
const pollIntervalMs = 2000

const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

/** Whether the client of this request takes tasks as answers. */
export function takesTasks({ mcpReq }: ServerContext): boolean {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {}
  const { extensions } = (envelope[capabilitiesKey] ?? {}) as { extensions?: Record<string, unknown> }
  return typeof extensions?.[tasksExtension] === 'object' && extensions[tasksExtension] !== null
}

/** Fails: -32021 for a request that does not declare the extension. */
export function mustTakeTasks(context: ServerContext): void {
  if (takesTasks(context)) return
  const data = { requiredCapabilities: { extensions: { [tasksExtension]: {} } } }
  const code = ProtocolErrorCode.MissingRequiredClientCapability
  throw new ProtocolError(code, `the request does not declare ${tasksExtension}`, data)
}

type Status = 'working' | 'completed' | 'failed' | 'cancelled'

function statusOf({ state, log }: KnownRun): Status {
  if (state === 'running') return 'working'
  if (state === 'interrupted') return 'failed'
  return log.outcome === 'cancelled' ? 'cancelled' : 'completed'
}

function taskOf(run: KnownRun) {
  return {
    taskId: run.record.id,
    status: statusOf(run),
    statusMessage: stateWords(run),
    createdAt: run.record.startedAt,
    lastUpdatedAt: new Date().toISOString(),
    // Its folder belongs to the user: nothing here ever removes it.
    ttlMs: null,
    pollIntervalMs,
  }
}

/** The answer of run_plan as a task. The SDK has no type for it yet, and passes it on. */
export const createdTask = (run: KnownRun): CallToolResult =>
  ({ resultType: 'task', ...taskOf(run), content: [] }) as unknown as CallToolResult

export function detailedTask(run: KnownRun): { readonly result?: CallToolResult } & Record<string, unknown> {
  const task = taskOf(run)
  if (task.status === 'completed') {
    const isError = run.log.error === undefined ? {} : { isError: true }
    return { ...task, result: { ...answer(runText(run)), ...isError, resultType: 'complete' } }
  }
  if (task.status !== 'failed') return task
  return { ...task, error: { code: ProtocolErrorCode.InternalError, message: runText(run) } }
}
