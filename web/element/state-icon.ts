/** The mark of a state as an element; its words are in its title, for they stand beside it wherever there is room. */
import { icon } from './dom.js'
import { stateMarks, type StepMark } from './step-words.js'

export function stateIcon(state: StepMark): SVGSVGElement {
  const mark = icon(stateMarks[state])
  mark.setAttribute('class', `af-mark af-is-${state}`)
  return mark
}
