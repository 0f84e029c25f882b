/** The exports of the run's module as the class that core.ts knows. */
import type { CoreGlue, CoreModule, Session } from './module.js'

type Exported = (...numbers: number[]) => number

/** Adds `Session` to what the glue made: its methods are the functions `session_<method>` of exports.cpp, less their first parameter. */
export async function withSessions(opening: Promise<CoreGlue>): Promise<CoreModule> {
  const module = await opening
  const functions = module as unknown as Record<string, Exported>
  class Handle {
    readonly handle = functions['_session_open']!()
  }
  for (const key of Object.keys(functions)) {
    const [, method] = /^_session_(\w+)$/.exec(key) ?? []
    if (method === undefined || method === 'open') continue
    const exported = functions[key]!
    // No method has more than three numbers; without a spread, as some are called for every event.
    const value = function (this: Handle, first: number, second: number, third: number): number {
      return exported(this.handle, first, second, third)
    }
    Object.defineProperty(Handle.prototype, method, { value })
  }
  return Object.assign(module, { Session: Handle as unknown as new () => Session })
}
