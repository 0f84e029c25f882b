// Generated files are checked in: written by their generator, or, with --check, only compared.
import { readFileSync, writeFileSync } from 'node:fs'

/** `file`: path below the project's root. With --check, exits 1 when the file is absent or differs from `text`. */
export function publish(file, text) {
  const target = new URL(`../../${file}`, import.meta.url)
  if (!process.argv.includes('--check')) return writeFileSync(target, text)
  let present
  try {
    present = readFileSync(target, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  if (present === text) return
  console.error(`${file} is stale: run npm run generate`)
  process.exit(1)
}
