// The functions of a WebAssembly module in an order that gzip likes: like ones beside each other. Its window is 32 KB, a module is seven
// times that, and linkers order functions by how often they are called. Three per cent of what a page loads, nothing of what runs.

const window = 30_000 // bytes of code that gzip still sees, with some room
const gram = 6 // bytes: shorter ones are everywhere, longer ones nowhere
const small = 20 // grams: below this a body says little about what it is like

/** `bytes` of a module with its functions reordered; the same bytes where the module holds what this does not know. */
export function orderFunctions(bytes) {
  try {
    return ordered(bytes)
  } catch (error) {
    if (error instanceof Unknown) return bytes
    throw error
  }
}

/** What the reader does not know. */
class Unknown extends Error {}

function unknown() {
  throw new Unknown()
}

function ordered(bytes) {
  const sections = readSections(bytes)
  if (!sections.has(10) || sections.has('name')) unknown()
  const imported = sections.has(2) ? importedFunctions(sections.get(2)) : 0
  const bodies = split(sections.get(10))
  const order = orderOf(bodies)
  const moved = new Map(order.map((old, at) => [imported + old, imported + at]))
  const renamed = (index) => moved.get(index) ?? index
  const types = readNumbers(sections.get(3))
  sections.set(3, vector(order.map((old) => leb(types[old]))))
  sections.set(10, vector(order.map((old) => sized(withCalls(bodies[old], renamed)))))
  if (sections.has(7)) sections.set(7, exportsWith(sections.get(7), renamed))
  if (sections.has(8)) sections.set(8, leb(renamed(new Reader(sections.get(8)).number())))
  if (sections.has(9)) sections.set(9, elementsWith(sections.get(9), renamed))
  return join([bytes.subarray(0, 8), ...[...sections].map(([id, body]) => section(id, body))])
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes
    this.at = 0
  }
  get ended() {
    return this.at >= this.bytes.length
  }
  byte() {
    return this.ended ? unknown() : this.bytes[this.at++]
  }
  number() {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  take(length) {
    return this.bytes.subarray(this.at, (this.at += length))
  }
  /** What `read` passed over. */
  over(read) {
    const from = this.at
    read()
    return this.bytes.subarray(from, this.at)
  }
}

const join = (parts) => Uint8Array.from(Buffer.concat(parts))

function leb(value) {
  const out = []
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128)
  return Uint8Array.of(...out, value)
}

const sized = (body) => join([leb(body.length), body])
const vector = (items) => join([leb(items.length), ...items])
const section = (id, body) => join([Uint8Array.of(typeof id === 'number' ? id : 0), sized(body)])

/** By id, in their order; custom ones by name. */
function readSections(bytes) {
  const reader = new Reader(bytes)
  reader.at = 8
  const found = new Map()
  while (!reader.ended) {
    const id = reader.byte()
    const body = reader.take(reader.number())
    if (id !== 0) found.set(id, body)
    else {
      const named = new Reader(body)
      found.set(Buffer.from(named.take(named.number())).toString(), body)
    }
  }
  return found
}

function importedFunctions(body) {
  const reader = new Reader(body)
  let functions = 0
  for (let left = reader.number(); left > 0; --left) {
    for (const _ of ['module', 'name']) reader.take(reader.number())
    const kind = reader.byte()
    if (kind > 3) unknown()
    if (kind === 0) ++functions
    if (kind === 0) reader.number()
    if (kind === 1) reader.byte() // a table's type, then its limits
    if (kind === 1 || kind === 2) importedLimits(reader)
    if (kind === 3) reader.take(2)
  }
  return functions
}

function importedLimits(reader) {
  const bounded = reader.number() & 1
  reader.number()
  if (bounded) reader.number()
}

function split(body) {
  const reader = new Reader(body)
  return Array.from({ length: reader.number() }, () => reader.take(reader.number()))
}

function readNumbers(body) {
  const reader = new Reader(body)
  return Array.from({ length: reader.number() }, () => reader.number())
}

function exportsWith(body, renamed) {
  const reader = new Reader(body)
  return vector(
    Array.from({ length: reader.number() }, () => {
      const head = reader.over(() => reader.take(reader.number()))
      const kind = reader.byte()
      const index = reader.number()
      return join([head, Uint8Array.of(kind), leb(kind === 0 ? renamed(index) : index)])
    }),
  )
}

/** Tables of functions: the plain form alone, which is what linkers write. */
function elementsWith(body, renamed) {
  const reader = new Reader(body)
  return vector(
    Array.from({ length: reader.number() }, () => {
      if (reader.number() !== 0) throw new Unknown()
      const offset = reader.over(() => skipExpression(reader))
      const functions = Array.from({ length: reader.number() }, () => leb(renamed(reader.number())))
      return join([leb(0), offset, vector(functions)])
    }),
  )
}

function skipExpression(reader) {
  while (reader.over(() => skipInstruction(reader))[0] !== end);
}

const [end, call, refFunc] = [0x0b, 0x10, 0xd2]

/** A body whose calls name the functions by their new indexes. */
function withCalls(body, renamed) {
  const reader = new Reader(body)
  const parts = [reader.over(() => skipLocals(reader))]
  while (!reader.ended) {
    const instruction = reader.over(() => skipInstruction(reader))
    const code = instruction[0]
    if (code !== call && code !== refFunc) parts.push(instruction)
    else parts.push(Uint8Array.of(code), leb(renamed(new Reader(instruction.subarray(1)).number())))
  }
  return join(parts)
}

function skipLocals(reader) {
  for (let groups = reader.number(); groups > 0; --groups) {
    reader.number()
    reader.byte()
  }
}

/** Past one instruction: what follows each opcode, by the specification's binary format (core 2.0, section 5.4). */
function skipInstruction(reader) {
  const code = reader.byte()
  const numbers = (count) => {
    while (count-- > 0) reader.number()
  }
  if (code <= 0x01 || code === 0x05 || code === end || code === 0x0f || code === 0x1a || code === 0x1b) return
  if (code >= 0x02 && code <= 0x04) return numbers(1) // a block's type
  if (code === 0x0c || code === 0x0d || code === call) return numbers(1)
  if (code === 0x0e) return numbers(reader.number() + 1) // labels of br_table
  if (code === 0x11) return numbers(2) // call_indirect: type, table
  if (code >= 0x20 && code <= 0x26) return numbers(1) // variables, tables
  if (code >= 0x28 && code <= 0x3e) return numbers(2) // alignment and offset
  if (code === 0x3f || code === 0x40) return numbers(1)
  if (code === 0x41 || code === 0x42) return numbers(1) // constants: signed, as long as unsigned ones
  if (code === 0x43) return void reader.take(4)
  if (code === 0x44) return void reader.take(8)
  if (code >= 0x45 && code <= 0xc4) return
  if (code === 0xd0 || code === refFunc) return numbers(1)
  if (code === 0xfc) return numbers([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1][reader.number()] ?? unknown())
  if (code === 0xfd) return skipVector(reader, reader.number())
  unknown()
}

function skipVector(reader, code) {
  if (code > 255) unknown()
  const lane = (code >= 21 && code <= 34) || (code >= 84 && code <= 91)
  const memory = code <= 11 || (code >= 84 && code <= 93)
  for (let left = memory ? 2 : 0; left > 0; --left) reader.number()
  if (code === 12 || code === 13) reader.take(16)
  if (lane) reader.byte()
}

/** Old positions in the new order: each function is followed by the one that has most in common with the code before it. */
function orderOf(bodies) {
  const { grams, holders } = gramsOf(bodies)
  const seen = new Uint16Array(holders.length) // how many bodies of the window hold a gram
  const common = new Uint32Array(bodies.length) // grams of a body that the window holds
  const inWindow = []
  let bytes = 0
  const step = (body, sign) => {
    bytes += sign * bodies[body].length
    for (const each of grams[body]) {
      seen[each] += sign
      if (seen[each] === (sign > 0 ? 1 : 0)) for (const holder of holders[each]) common[holder] += sign
    }
  }
  const left = new Set(bodies.keys())
  const order = []
  while (left.size > 0) {
    let [best, most] = [-1, -1]
    for (const body of left) {
      const likeness = common[body] / (grams[body].length + small)
      if (likeness > most) [best, most] = [body, likeness]
    }
    left.delete(best)
    order.push(best)
    inWindow.push(best)
    step(best, 1)
    while (bytes > window && inWindow.length > 1) step(inWindow.shift(), -1)
  }
  return order
}

/** The distinct sequences of `gram` bytes: of each body, and the bodies of each. */
function gramsOf(bodies) {
  const ids = new Map()
  const holders = []
  const grams = bodies.map((body, index) => {
    const found = new Set()
    for (let at = 0; at + gram <= body.length; ++at) {
      let value = 0
      for (let i = 0; i < gram; ++i) value = value * 256 + body[at + i]
      if (!ids.has(value)) ids.set(value, holders.push([]) - 1)
      found.add(ids.get(value))
    }
    for (const each of found) holders[each].push(index)
    return [...found]
  })
  return { grams, holders }
}
