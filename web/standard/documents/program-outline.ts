/** From a syntax tree to the outline that the index takes: functions, classes, methods, types and exported constants by name. */

/** What is read of a node of a syntax tree. */
export interface OutlineTree {
  readonly type: string
  readonly text: string
  readonly startPosition: { readonly row: number }
  readonly endPosition: { readonly row: number }
  readonly namedChildren: readonly (OutlineTree | null)[]
  childForFieldName(name: string): OutlineTree | null
}

const named = new Set([
  ...['function_declaration', 'generator_function_declaration', 'class_declaration', 'abstract_class_declaration'],
  ...['method_definition', 'interface_declaration', 'type_alias_declaration', 'enum_declaration', 'internal_module'],
  ...['function_definition', 'class_definition'],
])
/** Nodes that only wrap what is declared. */
const wrappers = new Set([
  ...['program', 'module', 'export_statement', 'decorated_definition', 'class_body', 'block', 'statement_block'],
  ...['expression_statement', 'ambient_declaration'],
])
/** Of these only the inside of classes is looked into: what a function declares is its own affair. */
const functions = new Set([
  'function_declaration',
  'generator_function_declaration',
  'method_definition',
  'function_definition',
])
const deepest = 12

/** A line for each: level, first line, last line, name, with tabs between. '' when nothing is declared. */
export function outlineLines(root: OutlineTree, grammar: string): string {
  const lines: string[] = []
  walk(root, 1, { first: undefined, exported: false, python: grammar === 'python', lines })
  return lines.join('\n')
}

interface Way {
  /** Line where a wrapper began: decorators and `export` belong to what they stand before. */
  readonly first: number | undefined
  readonly exported: boolean
  readonly python: boolean
  readonly lines: string[]
}

function walk(node: OutlineTree, level: number, way: Way): void {
  for (const child of node.namedChildren) {
    if (child === null || level > deepest) continue
    if (named.has(child.type)) declare(child, level, way)
    else if (child.type === 'lexical_declaration' || child.type === 'variable_declaration') constants(child, level, way)
    else if (wrappers.has(child.type)) {
      const inside = child.type === 'export_statement' || child.type === 'decorated_definition'
      const first = inside ? (way.first ?? child.startPosition.row) : undefined
      walk(child, level, { ...way, first, exported: way.exported || child.type === 'export_statement' })
    }
  }
}

function declare(node: OutlineTree, level: number, way: Way): void {
  const name = node.childForFieldName('name')?.text ?? ''
  if (name !== '') tell(node, level, name, way)
  if (functions.has(node.type)) return
  const body = node.childForFieldName('body')
  if (body !== null) walk(body, level + 1, { ...way, first: undefined, exported: false })
}

/** `export const name = …`, and constants that are functions. */
function constants(node: OutlineTree, level: number, way: Way): void {
  for (const child of node.namedChildren) {
    if (child?.type !== 'variable_declarator') continue
    const value = child.childForFieldName('value')?.type ?? ''
    if (!way.exported && !/function|arrow|class/.test(value)) continue
    const name = child.childForFieldName('name')?.text ?? ''
    if (/^[\w$]+$/.test(name)) tell(node, level, name, way)
  }
}

function tell(node: OutlineTree, level: number, name: string, { first, lines }: Way): void {
  const from = first ?? node.startPosition.row
  lines.push([level, from + 1, node.endPosition.row + 1, name.replace(/\s+/g, ' ')].join('\t'))
}
