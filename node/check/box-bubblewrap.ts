/** A box of namespaces by bubblewrap, for machines where only an installed helper may make them. */
import { lstat, readlink } from 'node:fs/promises'
import { AetherflowError } from '../../bindings/errors.js'
import type { BoxWay } from './box-port.js'
import { systemLimits } from './process-tree.js'
import { boxPath, findProgram, foldersOf, systemFiles, systemFolders } from './programs.js'

/** Arguments: the program and its own. The copy is read-only for the box; it works on a copy of that. */
const script = `cp -R /stage/. /work/ && cd /work && { "$@"; exit $?; }`

async function systemMounts(): Promise<string[]> {
  const mounts: string[] = []
  for (const name of [...systemFolders, ...systemFiles]) {
    const path = `/${name}`
    const info = await lstat(path).catch(() => undefined)
    if (info?.isSymbolicLink() === true) mounts.push('--symlink', await readlink(path), path)
    else if (info !== undefined) mounts.push('--ro-bind', path, path)
  }
  return mounts
}

export const bubblewrap: BoxWay = {
  kind: 'bubblewrap',
  words: 'bubblewrap (own namespaces, no network, nothing of this machine can be written)',
  cannot: ['faults of the kernel', "reading the system's programs and libraries"],
  async start(base, program, args, limits) {
    const [wrap, prlimit] = await Promise.all([findProgram('bwrap'), findProgram('prlimit')])
    if (wrap === undefined || prlimit === undefined)
      throw new AetherflowError('check.no_box', 'bubblewrap', 'bwrap or prlimit is not there')
    const folders = (await foldersOf(program)).flatMap((folder) => ['--ro-bind', folder, folder])
    const variables = { PATH: boxPath(program), HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' }
    return [
      ...[wrap.path, '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
      ...Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]),
      ...(await systemMounts()),
      ...folders,
      ...['--proc', '/proc', '--dev', '/dev', '--ro-bind', `${base}/stage`, '/stage'],
      ...['--size', String(limits.fileBytes), '--tmpfs', '/work'],
      ...['--size', String(limits.fileBytes), '--tmpfs', '/tmp'],
      ...['--remount-ro', '/', '--chdir', '/work', '--'],
      ...[prlimit.path, ...systemLimits(limits)],
      ...['sh', '-c', script, 'box', program.called, ...args],
    ]
  },
}
