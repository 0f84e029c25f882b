import { importPeer, peerVersion } from '../lib/peers.mjs'

export const words = `@streamparser/json ${peerVersion('@streamparser/json')} (steps as objects, no checks)`
const { JSONParser } = await importPeer('@streamparser/json')

export function read(chunks, first) {
  let steps = 0
  const parser = new JSONParser({ paths: ['$.steps.*'], keepStack: false })
  parser.onValue = () => {
    if (steps++ === 0) first()
  }
  for (const chunk of chunks) parser.write(chunk)
  return steps
}
