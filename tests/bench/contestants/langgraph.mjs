// The peer: LangGraph.js, one node a step, an edge that waits for all inputs, 64 at once.
import { layeredGraph, stepId } from '../lib/graph.mjs'
import { importPeer, peerVersion } from '../lib/peers.mjs'

export const words = `LangGraph.js ${peerVersion('@langchain/langgraph')}`
export const input = layeredGraph

export async function round(dependencies, work) {
  const { Annotation, END, START, StateGraph } = await importPeer('@langchain/langgraph')
  const start = performance.now()
  const last = new Set(dependencies.keys())
  const graph = new StateGraph(Annotation.Root({ result: Annotation({ reducer: (_, next) => next }) }))
  for (const step of dependencies.keys()) graph.addNode(stepId(step), () => (work(step), {}))
  for (const [step, inputs] of dependencies.entries()) {
    if (inputs.length === 0) graph.addEdge(START, stepId(step))
    else graph.addEdge(inputs.map(stepId), stepId(step))
    for (const input of inputs) last.delete(input)
  }
  for (const step of last) graph.addEdge(stepId(step), END)
  const compiled = graph.compile()
  const built = performance.now()
  await compiled.invoke({}, { recursionLimit: dependencies.length + 1, maxConcurrency: 64 })
  return { buildMs: built - start, runMs: performance.now() - built }
}
