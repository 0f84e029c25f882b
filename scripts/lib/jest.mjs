// Compiled tests import what they test by the paths of the sources; links lead from there to the compiled output in dist/.
import { lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { at } from './paths.mjs'

export function linkOutputs() {
  mkdirSync(at('build/tests-js'), { recursive: true })
  for (const folder of ['bindings', 'web', 'node']) {
    const link = at('build/tests-js', folder)
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) continue
    rmSync(link, { recursive: true, force: true })
    symlinkSync(`../../dist/${folder}`, link, 'dir')
  }
}
