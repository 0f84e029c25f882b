// The licences of what the files of a page are made of.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { at } from './paths.mjs'
import { Stop } from './run.mjs'

/** Writes to `to` under which words others gave what is bundled: they are to go with every copy. */
export function writeLicences(to, inputs) {
  const packages = new Set(inputs.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]).filter(Boolean))
  const texts = [...packages].sort().map((name) => {
    const folder = at('node_modules', name)
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const { license, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    if (file === undefined && license !== 'MIT') throw new Stop(`${name} is bundled, and names no licence`)
    const words = file === undefined ? `Licence: ${license}` : readFileSync(`${folder}/${file}`, 'utf8').trim()
    return `${name} ${version}\n\n${words}\n`
  })
  writeFileSync(at(to), texts.join(`\n${'-'.repeat(72)}\n\n`))
}
