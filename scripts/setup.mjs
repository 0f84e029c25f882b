// Finds what is missing and installs it by name, or says what to install. Quick when there is nothing to do.
//   node scripts/setup.mjs [start|test]     default: test, which includes start
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { advice, needs, packageManager, which } from './lib/needs.mjs'
import { at, digest, readJson } from './lib/paths.mjs'
import { main, must, mustNode, run, Stop } from './lib/run.mjs'

/**
 * Makes sure that all is there for `purpose` ("start" or "test") and resolves to the files found, by need.
 * Optional needs that could not be met are absent from the result.
 */
export async function setup(purpose) {
  const [major, minor, patch] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && (minor < 18 || (minor === 18 && patch < 1)))) {
    throw new Stop(`This is Node ${process.versions.node}; AetherFlow needs 20.18.1 or newer.`)
  }
  // Both at once: the one waits for downloads while the other unpacks.
  const packages = installPackages()
  // The first failure is reported; the other must not be an unhandled rejection.
  packages.catch(() => undefined)
  const found = await findOrInstall(purpose)
  await packages
  return found
}

/** The files that satisfy the needs of `purpose`, by need; what is missing is installed where we may. */
async function findOrInstall(purpose) {
  const wanted = Object.keys(needs).filter((key) => purpose === 'test' || needs[key].for === 'start')
  const key = digest(
    ['scripts/setup.mjs', 'scripts/lib/needs.mjs'],
    purpose,
    process.env.PATH ?? '',
    process.env.CXX ?? '',
  )
  const stampFile = `build/setup-${purpose}.json`
  const stamp = readJson(stampFile)
  // A stamp with an unmet optional need still counts: looking again would cost a second in every run.
  if (stamp?.key === key && Object.values(stamp.found).every((file) => existsSync(file))) return stamp.found

  let found = findAll(wanted)
  const missing = wanted.filter((need) => found[need] === undefined)
  if (missing.length > 0 && packageManager() === 'apt' && process.getuid?.() === 0) {
    await installWithApt(missing)
    found = findAll(wanted)
  }
  const blocking = wanted.filter((need) => found[need] === undefined && !needs[need].optional)
  if (blocking.length > 0) throw new Stop(advice(blocking, packageManager()))
  mkdirSync(at('build'), { recursive: true })
  writeFileSync(at(stampFile), JSON.stringify({ key, found }, null, 2))
  return found
}

function findAll(wanted) {
  const pairs = wanted.map((need) => [need, needs[need].find()])
  return Object.fromEntries(pairs.filter(([, file]) => file !== undefined))
}

/** Installs the packages of `missing`. Names that this release of the system does not have are left to `advice`. */
async function installWithApt(missing) {
  const options = ['-o', 'Acquire::Retries=3', '-o', 'Acquire::http::Timeout=60', '-o', 'DPkg::Lock::Timeout=300']
  const settings = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 30 * 60_000 }
  const names = missing.flatMap((need) => needs[need].names.apt ?? [])
  console.log(`setting up: ${names.join(' ')}`)
  for (let attempt = 1; ; ++attempt) {
    const update = await run('apt-get', ['update', '-q', ...options], settings)
    const policy = await must('apt-cache', ['policy', ...names], { show: false })
    const known = names.filter((name) => new RegExp(`^${escape(name)}:\\n.*\\n *Candidate: \\d`, 'm').test(policy))
    const install = await run(
      'apt-get',
      ['install', '-y', '-q', '--no-install-recommends', ...options, ...known],
      settings,
    )
    if (install.code === 0) return
    // Once more: a mirror that was just being updated is the usual reason.
    if (attempt === 2) {
      const tail = `${update.output}${install.output}`.trimEnd().split('\n').slice(-15).join('\n')
      throw new Stop(`${tail}\napt-get could not install them. ${advice(missing, 'apt')}`)
    }
  }
}

const escape = (text) => text.replace(/[.+*?^$()[\]{}|\\]/g, '\\$&')

/** `npm ci` when node_modules does not hold what package-lock.json names. */
async function installPackages() {
  if (packagesAreRight(readJson('package-lock.json'), readJson('node_modules/.package-lock.json'))) return
  console.log('setting up: npm packages')
  const npm = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : undefined
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const settings = { timeoutMs: 15 * 60_000 }
  if (npm !== undefined) await mustNode([npm, ...args], settings)
  else if (which('npm') !== undefined) await must('npm', args, settings)
  else throw new Stop('npm is missing: it comes with Node.')
}

/** True when every package of the lock is installed in its version. Optional ones may be absent: other platforms'. */
export function packagesAreRight(lock, installed) {
  if (lock === undefined || installed === undefined) return false
  return Object.entries(lock.packages).every(([name, entry]) => {
    if (name === '' || entry.link) return true
    const present = installed.packages[name]
    return present === undefined ? entry.optional === true || entry.peer === true : present.version === entry.version
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const found = await setup(process.argv[2] === 'start' ? 'start' : 'test')
    for (const [need, file] of Object.entries(found)) console.log(`${need.padEnd(12)} ${file}`)
    for (const need of Object.keys(needs)) if (!(need in found)) console.log(`${need.padEnd(12)} not found`)
  })
}
