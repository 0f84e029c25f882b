/** JSON texts that the runs of one configuration have alike: each is parsed once, and the value shared by all. */

const known = new Map<string, unknown>()
const most = 32

/** Not to be changed by anyone who gets it. */
export function sharedJson(text: string): unknown {
  if (!known.has(text)) {
    if (known.size >= most) known.clear()
    known.set(text, JSON.parse(text))
  }
  return known.get(text)
}

const tables = new WeakMap<object, unknown>()

/** The built-in table as a module tells it: it stays the same, and is longer than what runs begin with. Not to be changed either. */
export function sharedTable(module: object, read: () => unknown): unknown {
  if (!tables.has(module)) tables.set(module, read())
  return tables.get(module)
}
