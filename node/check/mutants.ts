/** Answers with one small change: tests that say something of an answer fail with it. */
import { grammars } from '../documents/grammars.js'
import type { SyntaxNode } from '../../web/standard/documents/grammars.js'

/** One operator, truth value or number for another: what stands for it in a valid program. */
const others: Readonly<Record<string, string>> = {
  ...{ '+': '-', '-': '+', '*': '+', '/': '*', '%': '*', '//': '*' },
  ...{ '<': '>=', '>=': '<', '>': '<=', '<=': '>', '==': '!=', '!=': '==', '===': '!==', '!==': '===' },
  ...{ '&&': '||', '||': '&&', and: 'or', or: 'and' },
  ...{ true: 'false', false: 'true', True: 'False', False: 'True' },
}
const operations = new Set(['binary_expression', 'binary_operator', 'comparison_operator', 'boolean_operator'])

interface Change {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** At most `most` variants of the code, their changes spread over it. None where its language cannot be read here, or nothing can be changed. */
export async function mutantsOf(path: string, code: string, most = 3): Promise<string[]> {
  const bytes = new TextEncoder().encode(code)
  const changes = (await grammars.read(path, bytes, (root) => [...changesIn(root)])) ?? []
  const chosen = changes.length <= most ? changes : spread(changes, most)
  return chosen.map(({ from, to, text }) => code.slice(0, from) + text + code.slice(to))
}

const spread = (changes: readonly Change[], most: number): Change[] =>
  Array.from({ length: most }, (_, i) => changes[Math.floor(((i + 0.5) * changes.length) / most)]).filter(
    (change) => change !== undefined,
  )

function* changesIn(node: SyntaxNode): Generator<Change> {
  const parent = operations.has(node.type)
  for (const child of node.children) {
    if (child === null) continue
    if (child.type === 'literal_type') continue // of TypeScript: gone when it runs
    const text = textFor(child, parent)
    if (text !== undefined) yield { from: child.startIndex, to: child.endIndex, text }
    yield* changesIn(child)
  }
}

/** undefined: nothing stands for it. A number stays one token, as a key may be one. */
function textFor({ type, text }: SyntaxNode, inOperation: boolean): string | undefined {
  if (type === 'number' || type === 'integer') return /^\d{1,15}$/.test(text) ? String(Number(text) + 1) : undefined
  if (type === 'true' || type === 'false') return others[text]
  return inOperation && type === text ? others[type] : undefined
}
