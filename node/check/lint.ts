/** A fixed list of rules that hold in every project: each finding is an error by itself. Counted for the quality score. */
import type { SyntaxNode } from '../../web/standard/documents/grammars.js'
import type { CodeProblem } from './code-report.js'

type Rule = (node: SyntaxNode) => string | undefined

const operatorOf = (node: SyntaxNode): string => node.childForFieldName('operator')?.text ?? ''
const isNull = (node: SyntaxNode): boolean =>
  ['left', 'right'].some((side) => ['null', 'undefined'].includes(node.childForFieldName(side)?.text ?? ''))

/** A name that stands twice among the parameters or keys of one node. */
function twice(names: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

const keysOf = (node: SyntaxNode): string[] =>
  node.namedChildren.flatMap((child) => {
    const key = child?.type === 'pair' ? child.childForFieldName('key') : undefined
    return key === null || key === undefined || key.type === 'computed_property_name' ? [] : [key.text]
  })
const duplicateKey: Rule = (node) => {
  const name = twice(keysOf(node))
  return name === undefined ? undefined : `the key ${name.slice(0, 40)} stands twice`
}
const isEmpty = (node: SyntaxNode | null): boolean => node !== null && (node as SyntaxNode).namedChildren.length === 0

const scripts: Readonly<Record<string, Rule>> = {
  debugger_statement: () => 'debugger',
  with_statement: () => 'with',
  variable_declaration: () => 'var instead of let or const',
  binary_expression: (node) =>
    ['==', '!='].includes(operatorOf(node)) && !isNull(node)
      ? `${operatorOf(node)} compares after conversion`
      : undefined,
  catch_clause: (node) =>
    isEmpty(node.childForFieldName('body') as SyntaxNode | null) ? 'an error is swallowed: empty catch' : undefined,
  object: duplicateKey,
  call_expression: (node) => (node.childForFieldName('function')?.text === 'eval' ? 'eval' : undefined),
}

const python: Readonly<Record<string, Rule>> = {
  except_clause: (node) =>
    node.namedChildren.filter((child) => child?.type !== 'block').length === 0 ? 'bare except' : undefined,
  comparison_operator: (node) => (/[=!]=\s*None\b/.test(node.text) ? 'compares with None by ==' : undefined),
  default_parameter: (node) =>
    ['list', 'dictionary', 'set'].includes(node.childForFieldName('value')?.type ?? '')
      ? 'a default value that all calls share'
      : undefined,
  dictionary: duplicateKey,
  call: (node) =>
    ['eval', 'exec'].includes(node.childForFieldName('function')?.text ?? '') ? 'eval or exec' : undefined,
  wildcard_import: () => 'import *',
}

export function lintRules(root: SyntaxNode, grammar: string): CodeProblem[] {
  const rules = grammar === 'python' ? python : scripts
  const found: CodeProblem[] = []
  const waiting = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const what = rules[node.type]?.(node)
    if (what !== undefined)
      found.push({ line: node.startPosition.row + 1, column: node.startPosition.column + 1, what })
    for (const child of node.children) if (child !== null) waiting.push(child)
  }
  return found.sort((a, b) => a.line - b.line || a.column - b.column)
}
