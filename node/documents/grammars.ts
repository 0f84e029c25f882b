/** Outlines of programs by the grammars that lie beside this package's code. */
import { readFile } from 'node:fs/promises'
import { Grammars } from '../../web/standard/documents/grammars.js'
import type { OutlineReader } from '../../web/standard/documents/ports.js'

/** Not known of a bundle: then nothing is found there. Asked for inside what may fail. */
const place = (name: string): URL => new URL(`../../grammars/${name}`, import.meta.url)

/** One for the process. */
export const grammars = new Grammars({
  runtime: async () => (await import(place('web-tree-sitter.js').href)) as unknown,
  bytes: async (name) => new Uint8Array(await readFile(place(name))),
})

export const grammarOutlines = (): OutlineReader => grammars.outline

/** Acorn, which tells what is wrong with JavaScript exactly. Rejects where it is not there. */
export const loadAcorn = async (): Promise<unknown> => (await import(place('acorn.mjs').href)) as unknown
