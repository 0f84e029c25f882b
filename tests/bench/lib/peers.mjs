// The libraries we compare with: a package of their own, installed when a bench first asks, never part of the product.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export { importPeer } from '../peers/import.mjs'

const folder = fileURLToPath(new URL('../peers/', import.meta.url))
const manifest = `${folder}package.json`
const stamp = `${folder}node_modules/.installed-for.json`
const flags = ['--ignore-scripts', '--legacy-peer-deps', '--no-package-lock', '--no-audit', '--no-fund']

/** Brings the peers up to date with their manifest. False, and says why, when they cannot be installed. */
export function installPeers() {
  const wanted = readFileSync(manifest, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true
  console.log('installing the libraries to compare with (once) …')
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(npm, ['install', ...flags], { cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) {
    console.log(`SKIPPED: the peers cannot be installed: ${(done.stderr || done.error?.message || '').trim()}`)
    return false
  }
  writeFileSync(stamp, wanted)
  return true
}

export const peerVersion = (name) => JSON.parse(readFileSync(manifest, 'utf8')).dependencies[name]
