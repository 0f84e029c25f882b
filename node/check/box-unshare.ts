/** A box of namespaces: util-linux's `unshare`, with a root of its own in which nothing of the machine can be written. */
import { AetherflowError } from '../../bindings/errors.js'
import type { BoxWay } from './box-port.js'
import { systemLimits, withoutRights } from './process-tree.js'
import { boxPath, findProgram, foldersOf, systemFiles, systemFolders } from './programs.js'

/**
 * Runs as root, of the machine or of its own user namespace, so that it may mount; all that is gone before the program begins
 * (setpriv). Arguments: base, bytes of files, limits for prlimit, the command that drops the rights, PATH, the program's user or nothing,
 * number of folders, folders …, program, arguments. A change of user clears the signal for its parent's end: that is asked for again. Its folders are the program's to
 * enter, whatever files of the starter's are.
 */
const script = `set -e
umask 022
base=$1 size=$2 limits=$3 drop=$4 path=$5 user=$6 count=$7; shift 7
owned=size=$size,mode=755,nosuid,nodev\${user:+,uid=$user,gid=$user}
root=$base/root
mkdir "$root"
mount --make-rprivate /
mount -t tmpfs -o size=4m,mode=755 tmpfs "$root"
cd "$root"
seen() {
  mount --rbind "$1" "$2"
  mount -o remount,bind,ro "$2" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$2"
}
for d in ${systemFolders.join(' ')}; do
  if [ -L "/$d" ]; then ln -s "$(readlink "/$d")" "$d"
  elif [ -d "/$d" ]; then mkdir -p "$d"; seen "/$d" "$d"; fi
done
for f in ${systemFiles.join(' ')}; do
  if [ -d "/$f" ]; then mkdir -p "$f"; seen "/$f" "$f"
  elif [ -f "/$f" ]; then mkdir -p "$(dirname "$f")"; : > "$f"; seen "/$f" "$f"; fi
done
while [ "$count" -gt 0 ]; do
  if [ -d "$1" ]; then mkdir -p ".$1"; else mkdir -p "$(dirname ".$1")"; : > ".$1"; fi
  seen "$1" ".$1"; shift; count=$((count - 1))
done
mkdir proc dev work stage old tmp
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t tmpfs -o "$owned" tmpfs work
mount -t tmpfs -o "$owned" tmpfs tmp
seen "$base/stage" stage
for d in null zero urandom random; do : > "dev/$d"; mount --bind "/dev/$d" "dev/$d"; done
ln -s /proc/self/fd dev/fd
cp -R stage/. work/
if [ "$user" ]; then chown -R "$user:$user" work; fi
umount stage
pivot_root . old
umount -l old
rmdir old stage
mount -o remount,bind,ro /
cd /work
exec prlimit $limits \\
  $drop \\
  setpriv --pdeathsig KILL \\
  env -i PATH="$path" HOME=/work TMPDIR=/tmp LANG=C.UTF-8 TZ=UTC sh -c '"$@"; exit $?' sh "$@"
`

const ofUsers = ['--user', '--map-root-user']
const namespaces = ['--net', '--pid', '--mount', '--ipc', '--uts', '--fork', '--kill-child']

export const unshared: BoxWay = {
  kind: 'unshare',
  words: 'unshare (own namespaces, no network, nothing of this machine can be written)',
  cannot: ['faults of the kernel', "reading the system's programs and libraries"],
  async start(base, program, args, limits, user) {
    const [unshare, setpriv] = await Promise.all([findProgram('unshare'), findProgram('setpriv')])
    if (process.platform !== 'linux' || unshare === undefined || setpriv === undefined)
      throw new AetherflowError('check.no_box', 'unshare', 'it is not there')
    const folders = await foldersOf(program)
    const bounds = [String(limits.fileBytes), systemLimits(limits).join(' '), withoutRights(user).join(' ')]
    const named = [base, ...bounds, boxPath(program), String(user ?? ''), String(folders.length), ...folders]
    // Killing this process leaves nothing running.
    const bound = [setpriv.path, '--pdeathsig', 'KILL']
    const own = user === undefined ? [...ofUsers, ...namespaces] : namespaces
    return [...bound, unshare.path, ...own, 'sh', '-c', script, 'box', ...named, program.called, ...args]
  },
}
