/** Where a JSON Pointer lies in the text, and the pointer of a place: both by the editor's syntax tree, so broken text is no trouble. */
import { ensureSyntaxTree, syntaxTree } from '@codemirror/language'
import type { EditorState } from '@codemirror/state'
import type { SyntaxNode } from '@lezer/common'

const values = new Set(['Object', 'Array', 'String', 'Number', 'True', 'False', 'Null'])

export interface Range {
  readonly from: number
  readonly to: number
}

/** A place in the text, seen from the schema. */
export interface Place {
  /** Names and positions from the root to the value or member. */
  readonly path: readonly (string | number)[]
  /** `name`: of a member, which is the path's last; `value`: a value; `inside`: an object's inner, between its members. */
  readonly kind: 'name' | 'value' | 'inside'
  readonly node: SyntaxNode
}

/** ms that reading on may take: large plans are read in the background otherwise. */
const patienceMs = 150

function treeOf(state: EditorState) {
  return ensureSyntaxTree(state, state.doc.length, patienceMs) ?? syntaxTree(state)
}

const valuesIn = (node: SyntaxNode): SyntaxNode[] => {
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling)
    if (values.has(child.name)) found.push(child)
  return found
}

/** The text of a string or a member's name; its raw bytes where they are not JSON. */
export function stringAt(state: EditorState, node: SyntaxNode): string {
  const text = state.sliceDoc(node.from, node.to)
  try {
    return String(JSON.parse(text))
  } catch {
    return text.replace(/^"|"$/g, '')
  }
}

/** Members of an object by name; of several the last. */
export function membersOf(state: EditorState, object: SyntaxNode): Map<string, SyntaxNode> {
  const members = new Map<string, SyntaxNode>()
  for (const property of object.getChildren('Property')) {
    const name = property.getChild('PropertyName')
    if (name !== null) members.set(stringAt(state, name), property)
  }
  return members
}

/**
 * The text that a pointer names; of what is missing the nearest that is there, no further than its first line. `name`: the
 * member's name instead of its value.
 */
export function rangeOfPointer(state: EditorState, pointer: string, name = false): Range {
  const segments = pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
  let node = treeOf(state).topNode.firstChild
  let property: SyntaxNode | null = null
  for (const [at, segment] of segments.entries()) {
    if (node === null) break
    const next: SyntaxNode | null | undefined =
      node.name === 'Array' ? valuesIn(node)[Number(segment)] : membersOf(state, node).get(segment)
    if (next === null || next === undefined) return opening(state, node)
    property = next.name === 'Property' ? next : null
    node = next.name === 'Property' ? (valuesIn(next)[0] ?? next) : next
    const last = at === segments.length - 1
    if (last && name && property !== null) node = property.getChild('PropertyName') ?? node
  }
  if (node === null) return { from: 0, to: Math.min(1, state.doc.length) }
  return node.name === 'Object' || node.name === 'Array' ? opening(state, node) : { from: node.from, to: node.to }
}

/** The beginning of a container: underlining all of it would hide everything inside. */
function opening(state: EditorState, node: SyntaxNode): Range {
  const line = state.doc.lineAt(node.from)
  return { from: node.from, to: Math.max(Math.min(node.to, node.from + 1), Math.min(node.to, line.to)) }
}

/** What stands at `position`. */
export function placeAt(state: EditorState, position: number): Place | undefined {
  let node: SyntaxNode | null = treeOf(state).resolveInner(position, -1)
  if (node.name === '{' || node.name === '[' || node.name === '⚠') node = node.parent
  while (node !== null && !values.has(node.name) && node.name !== 'PropertyName' && node.name !== 'Property') {
    node = node.parent
  }
  if (node === null) return undefined
  if (node.name === 'PropertyName') return { path: pathOf(state, node.parent), kind: 'name', node }
  if (node.name === 'Property') {
    // Behind the colon a value is to come; before it nothing but the name stands.
    return { path: pathOf(state, node), kind: 'value', node }
  }
  return { path: pathOf(state, node), kind: node.name === 'Object' ? 'inside' : 'value', node }
}

function pathOf(state: EditorState, from: SyntaxNode | null): (string | number)[] {
  const path: (string | number)[] = []
  for (let node = from; node !== null; node = node.parent) {
    if (node.name === 'Property') {
      const name = node.getChild('PropertyName')
      path.unshift(name === null ? '' : stringAt(state, name))
    } else if (node.parent?.name === 'Array') {
      const self = node
      path.unshift(valuesIn(node.parent).findIndex(({ from: at }) => at === self.from))
    }
  }
  return path
}

/** Ids of the steps that the text names so far. */
export function stepIds(state: EditorState): string[] {
  const root = treeOf(state).topNode.firstChild
  if (root?.name !== 'Object') return []
  const steps = membersOf(state, root).get('steps')
  const list = steps === undefined ? undefined : valuesIn(steps)[0]
  if (list?.name !== 'Array') return []
  const ids: string[] = []
  for (const step of valuesIn(list)) {
    if (step.name !== 'Object') continue
    const id = membersOf(state, step).get('id')
    const value = id === undefined ? undefined : valuesIn(id)[0]
    if (value?.name === 'String') ids.push(stringAt(state, value))
  }
  return ids
}

/** The pointer of the step that `position` lies in; undefined: in none. */
export function stepAt(state: EditorState, position: number): number | undefined {
  const [name, index] = placeAt(state, position)?.path ?? []
  return name === 'steps' && typeof index === 'number' && index >= 0 ? index : undefined
}
