/** The functions of the run's module as the class that core.ts knows. */
import type { CoreGlue, CoreModule, Session } from './module.js'

type Exported = (...numbers: number[]) => number

/** Adds `Session` to what the glue made: its methods are the functions `session_<method>` of exports.cpp, less their first parameter. */
export async function withSessions(opening: Promise<CoreGlue>): Promise<CoreModule> {
  const module = await opening
  const functions = module as unknown as Record<string, Exported>
  class Handle {
    readonly handle = functions['session_open']!()
  }
  for (const key of Object.keys(functions)) {
    const [, plain, method] = /^(_?)session_(\w+)$/.exec(key) ?? []
    if (method === undefined || method === 'open') continue
    const value =
      plain === '_'
        ? // Called for every event: without a spread. Looked up each time, as the glue puts another in its place at the first call.
          function (this: Handle, first: number, second: number) {
            return functions[key]!(this.handle, first, second)
          }
        : function (this: Handle, ...numbers: number[]) {
            return functions[key]!(this.handle, ...numbers)
          }
    Object.defineProperty(Handle.prototype, method, { value })
  }
  return Object.assign(module, { Session: Handle as unknown as new () => Session })
}
