/** The exports of the run's module as the class that core.ts knows. */
import type { CoreGlue, CoreModule, Session } from './module.js'

const prefix = '_session_'

/** Adds `Session` to what the glue made: its methods are the functions `session_<method>` of exports.cpp, less their first parameter. */
export async function withSessions(opening: Promise<CoreGlue>): Promise<CoreModule> {
  const module = await opening
  const call = (method: string, ...numbers: number[]): number => (module[`_session_${method}`] as Exported)(...numbers)
  class Handle {
    readonly handle = call('open')
  }
  for (const name of Object.keys(module).filter((key) => key.startsWith(prefix))) {
    const method = name.slice(prefix.length)
    const value = function (this: Handle, ...numbers: number[]): number {
      return call(method, this.handle, ...numbers)
    }
    if (method !== 'open') Object.defineProperty(Handle.prototype, method, { value })
  }
  return Object.assign(module, { Session: Handle as unknown as new () => Session })
}

type Exported = (...numbers: number[]) => number
