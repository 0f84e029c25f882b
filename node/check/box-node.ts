/** The last resort: Node's permission flag. It keeps programs of Node from files and other processes, and from nothing else. */
import { AetherflowError } from '../../bindings/errors.js'
import type { BoxWay } from './box-port.js'

/** The flag has lost its prefix on the way; a Node without either has no such box. */
const flag = ['--permission', '--experimental-permission'].find((name) => process.allowedNodeEnvironmentFlags.has(name))

export const nodePermissions: BoxWay = {
  kind: 'node',
  words: "Node's permission flag (no other files, no other processes; the network is open)",
  cannot: [
    'the network',
    'programs other than Node',
    'code that sets out to break Node itself',
    'memory outside the heap',
  ],
  start(base, program, args, { memoryBytes }) {
    if (flag === undefined) throw new AetherflowError('check.no_box', 'node', 'this Node has no permission flag')
    if (program.name !== 'node')
      throw new AetherflowError('check.not_allowed', program.name, 'in this box only programs of Node can run')
    const heap = Math.max(64, Math.floor(memoryBytes / (1 << 20) / 2))
    const files = [`--allow-fs-read=${base}/stage/*`, `--allow-fs-write=${base}/stage/*`]
    return Promise.resolve([program.path, flag, ...files, `--max-old-space-size=${heap}`, '--no-warnings', ...args])
  },
}
