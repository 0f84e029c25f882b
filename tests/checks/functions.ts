/** Lengths of functions, for the rule of 60 lines. */
import ts from 'typescript'
import { withoutComments, type Source } from './sources.js'

export interface FunctionLength {
  /** "path:line" of its first line. */
  readonly place: string
  readonly lines: number
}

/** By the TypeScript parser. A callback that holds tests is a suite (`describe`), not a function. */
export function scriptFunctions(file: Source): FunctionLength[] {
  const found: FunctionLength[] = []
  const tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined && !isSuite(node)) {
      const line = (position: number) => tree.getLineAndCharacterOfPosition(position).line
      const first = line(node.getStart(tree))
      found.push({ place: `${file.path}:${first + 1}`, lines: line(node.getEnd()) - first + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return found
}

function isSuite(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^ *(test|it)(\.\w+)*\(/m.test(node.getText())
}

/**
 * By clang-format's layout: a body opens at the end of a line and closes at the indent of the line where its head began.
 * Heads of types, namespaces and control flow are no functions; lambdas count towards the function around them.
 */
export function cppFunctions(file: Source): FunctionLength[] {
  const found: FunctionLength[] = []
  const lines = withoutComments(file.text).split('\n')
  let head = 0
  for (let i = 0; i < lines.length; ++i) {
    const line = lines[i] ?? ''
    if (/^\s*$/.test(line) || /[;}:]$/.test(line)) head = i + 1
    if (!line.endsWith('{')) continue
    const text = lines.slice(head, i + 1).join('\n')
    const notFunction =
      /^\s*(namespace|class|struct|enum|union|extern|if|for|while|switch|do|else|case|default|return)\b/
    const indent = /^ */.exec(lines[head] ?? '')?.[0] ?? ''
    if (text.includes('(') && !notFunction.test(text) && !/=\s*\{$/.test(text)) {
      const end = lines.findIndex((other, j) => j > i && new RegExp(`^${indent}\\}`).test(other))
      if (end > 0) {
        found.push({ place: `${file.path}:${head + 1}`, lines: end - head + 1 })
        i = end
      }
    }
    head = i + 1
  }
  return found
}
