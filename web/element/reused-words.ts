/** How a step was answered without a call. */
import type { HitKind } from '../../bindings/events.js'
import type { StepRow } from './run-rows.js'

const kindWords: Readonly<Record<HitKind, string>> = {
  exact: 'reused: same request',
  semantic: 'reused: same meaning',
  shared: 'reused: shared',
}

/** '': it was not. */
export const reusedWords = ({ reused }: Pick<StepRow, 'reused'>): string =>
  reused === undefined ? '' : kindWords[reused.kind]
