// The grammars that programs are read with, and their runtime: beside the package's code, loaded when they are used.
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename } from 'node:path'
import { at } from './paths.mjs'

const files = {
  acorn: ['dist/acorn.mjs'],
  'web-tree-sitter': ['web-tree-sitter.js', 'web-tree-sitter.wasm'],
  'tree-sitter-javascript': ['tree-sitter-javascript.wasm'],
  'tree-sitter-typescript': ['tree-sitter-typescript.wasm', 'tree-sitter-tsx.wasm'],
  'tree-sitter-python': ['tree-sitter-python.wasm'],
}

/** Brings dist/grammars up to date, each package's licence beside what is of it. */
export function publishGrammars() {
  mkdirSync(at('dist/grammars'), { recursive: true })
  for (const [name, names] of Object.entries(files)) {
    for (const file of names) copyFileSync(at('node_modules', name, file), at('dist/grammars', basename(file)))
    copyFileSync(at('node_modules', name, 'LICENSE'), at('dist/grammars', `${name}.licence.txt`))
  }
}
