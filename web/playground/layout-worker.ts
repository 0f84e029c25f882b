/** Lays graphs out with dagre, off the page's thread: hundreds of steps take it seconds. */
import { graphlib, layout } from '@dagrejs/dagre'
import { gaps, nodeSize, type GraphEdge, type GraphLayout, type LayoutRequest } from '../element/layers.js'

const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: { readonly id: number; readonly request: LayoutRequest } }) => void
  postMessage(message: unknown): void
}

scope.onmessage = ({ data: { id, request } }) => scope.postMessage({ id, layout: laidOut(request) })

/** Edges beyond which the search for the shortest layout takes too long. */
const manyEdges = 600

function laidOut({ dependencies, direction }: LayoutRequest): GraphLayout {
  const graph = new graphlib.Graph()
  const edges = dependencies.reduce((sum, list) => sum + list.length, 0)
  graph.setGraph({
    rankdir: direction,
    nodesep: gaps.node,
    ranksep: gaps.rank,
    marginx: gaps.margin,
    marginy: gaps.margin,
    ranker: edges > manyEdges ? 'longest-path' : 'network-simplex',
  })
  graph.setDefaultEdgeLabel(() => ({}))
  dependencies.forEach((_, node) => graph.setNode(String(node), { ...nodeSize }))
  dependencies.forEach((list, to) => {
    for (const from of list) graph.setEdge(String(from), String(to))
  })
  layout(graph)
  const size = graph.graph() as { readonly width?: number; readonly height?: number }
  const nodes = dependencies.map((_, node) => {
    const { x, y } = graph.node(String(node)) as { readonly x: number; readonly y: number }
    return { x, y }
  })
  const drawn: GraphEdge[] = graph.edges().map(({ v, w }: { readonly v: string; readonly w: string }) => {
    const { points = [] } = graph.edge(v, w) as { readonly points?: readonly { x: number; y: number }[] }
    const [from, to] = [Number(v), Number(w)]
    // dagre ends edges anywhere on a node's border; here they leave and arrive in the middle of its sides.
    const [a, b] = [nodes[from]!, nodes[to]!]
    const lead = direction === 'LR' ? nodeSize.width / 2 : nodeSize.height / 2
    const ends =
      direction === 'LR'
        ? [
            { x: a.x + lead, y: a.y },
            { x: b.x - lead, y: b.y },
          ]
        : [
            { x: a.x, y: a.y + lead },
            { x: b.x, y: b.y - lead },
          ]
    return { from, to, points: [ends[0]!, ...points.slice(1, -1), ends[1]!] }
  })
  return { nodes, edges: drawn, width: size.width ?? 0, height: size.height ?? 0, direction }
}
