// A tokenizer: it tells where objects begin and end, and builds none of them.
import { importPeer, peerVersion } from '../lib/peers.mjs'

export const words = `clarinet ${peerVersion('clarinet')} (events only: no objects, no checks)`
const { default: clarinet } = await importPeer('clarinet')

export function read(chunks, first) {
  const decoder = new TextDecoder()
  const parser = clarinet.parser()
  let depth = 0
  let steps = 0
  parser.onopenobject = () => depth++
  parser.oncloseobject = () => {
    // Steps are the objects at depth 2; a context inside one lies deeper.
    if (--depth === 1 && steps++ === 0) first()
  }
  for (const chunk of chunks) parser.write(decoder.decode(chunk, { stream: true }))
  parser.close()
  return steps
}
