/**
 * The box in which programs of checks run: a process with a copy of the files and nothing else. What a kind of box keeps out is
 * said by `cannot`; anyone who reports a check names the box. Nothing of the host's environment goes in, and nothing comes out but
 * the exit code and the end of the output.
 *
 *   copy of the files ─▶ folder ─▶ [ own namespaces · no network · limits ] ─▶ exit code, last bytes of output
 *                                        ▲ watched: time, memory, processes, output; all of it is killed
 */
import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import {
  boxKinds,
  defaultLimits,
  type Box,
  type BoxJob,
  type BoxKind,
  type BoxResult,
  type BoxWay,
} from './box-port.js'
import { bubblewrap } from './box-bubblewrap.js'
import { nodePermissions } from './box-node.js'
import { unshared } from './box-unshare.js'
import { Places } from '../patience.js'
import { boxed } from './boxed.js'
import { boxFolder, removeLeftBoxes } from './left-boxes.js'
import { findProgram } from './programs.js'
import { stage } from './staging.js'

export * from './box-port.js'

/** Programs at once, over all runs of this process: each may take a core and its memory. */
const places = new Places(Math.max(2, availableParallelism()))
let swept: Promise<void> | undefined
/** Of jobs that run. */
const bases = new Set<string>()
process.on('exit', () => {
  for (const base of bases) rmSync(base, { recursive: true, force: true })
})

/**
 * Who a program runs as where root starts it: the system bounds the processes of every user but root, so that a fork bomb of root's
 * takes the whole machine before anybody can stop it. Numbers without an account, which containers of users still have; one for each
 * job, as all processes of a user count together.
 */
const rightless = (): number => 61_184 + randomInt(4_000)
/** Programs of Node's own box start no others. */
const startsAsRoot = ({ kind }: BoxWay): boolean => kind !== 'node' && process.getuid?.() === 0

/** `bounded`: root starts programs as users without rights. */
function boxOf(way: BoxWay, bounded: boolean): Box {
  const run = async ({ files, command, limits, signal }: BoxJob): Promise<BoxResult> => {
    const [name = '', ...args] = command
    const bounds = { ...defaultLimits, ...limits }
    const program = await findProgram(name)
    if (program === undefined) throw new AetherflowError('check.not_allowed', name, 'there is no such program')
    await (swept ??= removeLeftBoxes())
    const base = await boxFolder()
    bases.add(base)
    try {
      await stage(join(base, 'stage'), files, bounds.fileBytes)
      const start = await way.start(base, program, args, bounds, bounded ? rightless() : undefined)
      return await places.run(() => boxed(start, join(base, 'stage'), bounds, signal))
    } finally {
      await rm(base, { recursive: true, force: true, maxRetries: 3 })
      bases.delete(base)
    }
  }
  const { kind, words } = way
  const open = startsAsRoot(way) && !bounded ? ['more processes than its limit, for moments'] : []
  return { kind, words, cannot: [...way.cannot, ...open], run }
}

const ways: Readonly<Record<BoxKind, BoxWay>> = { unshare: unshared, bubblewrap, node: nodePermissions }
const tried = new Map<BoxKind, Promise<Box | undefined>>()

/** The box of this kind where the machine has it: a program has run in it. Tried once a process. */
export function boxOfKind(kind: BoxKind): Promise<Box | undefined> {
  let found = tried.get(kind)
  if (found === undefined) tried.set(kind, (found = bestOf(ways[kind])))
  return found
}

/** Containers may let root make namespaces of users alone: then the program stays root of such a one. */
async function bestOf(way: BoxWay): Promise<Box | undefined> {
  const bounded = startsAsRoot(way) ? await tryBox(boxOf(way, true)) : undefined
  return bounded ?? tryBox(boxOf(way, false))
}

async function tryBox(box: Box): Promise<Box | undefined> {
  try {
    const files = [{ path: 'try.cjs', text: 'process.stdout.write(require("fs").readdirSync(".").join())' }]
    const result = await box.run({ files, command: ['node', 'try.cjs'], limits: { timeMs: 20_000 } })
    return result.exit === 0 && result.output === 'try.cjs' ? box : undefined
  } catch {
    return undefined
  }
}

/** The best box of this machine. Fails: check.no_box where there is none. */
export async function openBox(kinds: readonly BoxKind[] = boxKinds): Promise<Box> {
  for (const kind of kinds) {
    const box = await boxOfKind(kind)
    if (box !== undefined) return box
  }
  throw new AetherflowError('check.no_box', kinds.join(', '), 'no program can be kept apart on this machine')
}
