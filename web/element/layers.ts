/**
 * A quick layered layout: each step one column behind the last of its dependencies, the order within a column by where its
 * neighbours stand. No crossings are searched for, so it takes milliseconds for a thousand steps.
 *
 *   a ─┬─▶ b ─┬─▶ d
 *      └─▶ c ─┘
 */

/** A node's middle, and its size is the same for all. */
export interface Point {
  readonly x: number
  readonly y: number
}
export interface GraphLayout {
  readonly nodes: readonly Point[]
  readonly edges: readonly GraphEdge[]
  readonly width: number
  readonly height: number
  readonly direction: Direction
}
export interface GraphEdge {
  readonly from: number
  readonly to: number
  /** From border to border. */
  readonly points: readonly Point[]
}
/** `LR`: time goes to the right; `TB`: downwards, for narrow screens. */
export type Direction = 'LR' | 'TB'

export interface LayoutRequest {
  /** Dependencies by step. */
  readonly dependencies: readonly (readonly number[])[]
  readonly direction: Direction
}

export const nodeSize = { width: 176, height: 48 } as const
export const gaps = { node: 18, rank: 56, margin: 24 } as const

/** Steps of a circle, or whose dependencies are unknown, stand as if they had none. */
export function layeredLayout({ dependencies, direction }: LayoutRequest): GraphLayout {
  const ranks = ranksOf(dependencies)
  const columns: number[][] = []
  ranks.forEach((rank, node) => (columns[rank] ??= []).push(node))
  order(columns, dependencies)
  const across = direction === 'LR' ? nodeSize.height : nodeSize.width
  const along = direction === 'LR' ? nodeSize.width : nodeSize.height
  const most = Math.max(0, ...columns.map((column) => column.length))
  const nodes: Point[] = []
  columns.forEach((column, rank) => {
    const start = ((most - column.length) * (across + gaps.node)) / 2
    column.forEach((node, place) => {
      const forth = gaps.margin + rank * (along + gaps.rank) + along / 2
      const aside = gaps.margin + start + place * (across + gaps.node) + across / 2
      nodes[node] = direction === 'LR' ? { x: forth, y: aside } : { x: aside, y: forth }
    })
  })
  const length = Math.max(0, columns.length * (along + gaps.rank) - gaps.rank) + 2 * gaps.margin
  const breadth = Math.max(0, most * (across + gaps.node) - gaps.node) + 2 * gaps.margin
  const [width, height] = direction === 'LR' ? [length, breadth] : [breadth, length]
  return { nodes, edges: straightEdges(nodes, dependencies, direction), width, height, direction }
}

function straightEdges(
  nodes: readonly Point[],
  dependencies: readonly (readonly number[])[],
  direction: Direction,
): GraphEdge[] {
  const edges: GraphEdge[] = []
  dependencies.forEach((list, to) => {
    for (const from of list) {
      const [a, b] = [nodes[from], nodes[to]]
      if (a === undefined || b === undefined) continue
      const points =
        direction === 'LR'
          ? [
              { x: a.x + nodeSize.width / 2, y: a.y },
              { x: b.x - nodeSize.width / 2, y: b.y },
            ]
          : [
              { x: a.x, y: a.y + nodeSize.height / 2 },
              { x: b.x, y: b.y - nodeSize.height / 2 },
            ]
      edges.push({ from, to, points })
    }
  })
  return edges
}

/** Longest path from a root, without recursion: plans may be chains of any length. */
function ranksOf(dependencies: readonly (readonly number[])[]): number[] {
  const count = dependencies.length
  const ranks = new Array<number>(count).fill(0)
  const open = dependencies.map((list) => list.filter((from) => from >= 0 && from < count).length)
  const dependents: number[][] = dependencies.map(() => [])
  dependencies.forEach((list, to) => {
    for (const from of list) dependents[from]?.push(to)
  })
  const queue: number[] = []
  open.forEach((blockers, node) => {
    if (blockers === 0) queue.push(node)
  })
  for (let at = 0; at < queue.length; at += 1) {
    const from = queue[at] ?? 0
    for (const to of dependents[from] ?? []) {
      ranks[to] = Math.max(ranks[to] ?? 0, (ranks[from] ?? 0) + 1)
      open[to] = (open[to] ?? 1) - 1
      if (open[to] === 0) queue.push(to)
    }
  }
  return ranks
}

/** Each column once by the mean place of its dependencies. */
function order(columns: readonly number[][], dependencies: readonly (readonly number[])[]): void {
  const place: number[] = []
  const note = (column: readonly number[]): void =>
    column.forEach((node, index) => (place[node] = (index + 0.5) / column.length))
  for (const column of columns) {
    const wish = (node: number): number => {
      const list = dependencies[node] ?? []
      if (list.length === 0) return node / dependencies.length
      return list.reduce((sum, from) => sum + (place[from] ?? 0), 0) / list.length
    }
    const wishes = new Map(column.map((node) => [node, wish(node)]))
    column.sort((a, b) => (wishes.get(a) ?? 0) - (wishes.get(b) ?? 0) || a - b)
    note(column)
  }
}

/** The next step of the same column, or before it; at its end that of the next column. Undefined: there is none. */
export function besideOf({ nodes, direction }: GraphLayout, step: number, by: 1 | -1): number | undefined {
  const from = nodes[step]
  if (from === undefined) return undefined
  const along = (index: number): readonly [number, number] => {
    const { x, y } = nodes[index] ?? from
    return direction === 'LR' ? [Math.round(x), y] : [Math.round(y), x]
  }
  const order = nodes.map((_, index) => index)
  order.sort((a, b) => along(a)[0] - along(b)[0] || along(a)[1] - along(b)[1])
  return order[order.indexOf(step) + by]
}
