/** A box of namespaces by bubblewrap, for machines where only an installed helper may make them. */
import { lstat, readlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { BoxWay } from './box-port.js'
import { systemLimits, withoutRights } from './process-tree.js'
import { boxPath, findProgram, foldersOf, systemFiles, systemFolders } from './programs.js'

/**
 * What the box begins with; its arguments: the program and its own. The copy is read-only for the box; it works on a copy of that.
 * `user`: root makes no namespace of users then, and needs a few rights until the program becomes that user.
 */
function beginning(user: number | undefined): { spaces: string[]; open: string[]; script: string } {
  const script = (own: string, become: string): string =>
    `cp -R /stage/. /work/ && cd /work && ${own}{ ${become}"$@"; exit $?; }`
  if (user === undefined) return { spaces: ['--unshare-all'], open: [], script: script('', '') }
  return {
    spaces: [
      ...['ipc', 'pid', 'net', 'uts', 'cgroup-try'].map((name) => `--unshare-${name}`),
      ...['SETUID', 'SETGID', 'SETPCAP', 'CHOWN'].flatMap((name) => ['--cap-add', `CAP_${name}`]),
    ],
    open: ['--perms', '1777'],
    script: script(`chown -R ${user}:${user} . && `, `${withoutRights(user).join(' ')} `),
  }
}

/** Folders above what is mounted, the upper ones first: left to itself bubblewrap makes them for root alone. */
function above(paths: readonly string[]): string[] {
  const folders = new Set<string>()
  for (const path of paths) for (let at = dirname(path); at !== '/'; at = dirname(at)) folders.add(at)
  return [...folders].sort().flatMap((folder) => ['--perms', '0755', '--dir', folder])
}

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
  async start(base, program, args, limits, user) {
    const [wrap, prlimit] = await Promise.all([findProgram('bwrap'), findProgram('prlimit')])
    if (wrap === undefined || prlimit === undefined)
      throw new AetherflowError('check.no_box', 'bubblewrap', 'bwrap or prlimit is not there')
    const needed = await foldersOf(program)
    const folders = needed.flatMap((folder) => ['--ro-bind', folder, folder])
    const parents = user === undefined ? [] : above([...systemFiles.map((name) => `/${name}`), ...needed])
    const variables = { PATH: boxPath(program), HOME: '/work', TMPDIR: '/tmp', LANG: 'C.UTF-8', TZ: 'UTC' }
    const { spaces, open, script } = beginning(user)
    return [
      ...[wrap.path, '--die-with-parent', '--new-session', '--cap-drop', 'ALL', ...spaces, '--clearenv'],
      ...Object.entries(variables).flatMap(([name, value]) => ['--setenv', name, value]),
      ...parents,
      ...(await systemMounts()),
      ...folders,
      ...['--proc', '/proc', '--dev', '/dev', '--ro-bind', `${base}/stage`, '/stage'],
      ...['--size', String(limits.fileBytes), '--tmpfs', '/work'],
      ...[...open, '--size', String(limits.fileBytes), '--tmpfs', '/tmp'],
      ...['--remount-ro', '/', '--chdir', '/work', '--'],
      ...[prlimit.path, ...systemLimits(limits)],
      ...['sh', '-c', script, 'box', program.called, ...args],
    ]
  },
}
