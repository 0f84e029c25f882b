// As driver.mjs, with every signal that a streamed call gives: connected, first token, one piece of text.
import { round as plain } from './driver.mjs'

export const words = 'AetherFlow, each call with all its signals'
export { input } from './driver.mjs'

const tell = (progress) => {
  progress.started({ reused: true })
  progress.prompt(20, 20)
  progress.firstToken()
  progress.text('x')
}

export const round = (bytes, work) => plain(bytes, work, tell)
