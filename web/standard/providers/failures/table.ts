import type { FailureKind } from '../../../../bindings/generated/wire.js'

/**
 * What the errors of one provider mean. Looked up in this order, the first hit wins:
 *
 *     decisive   statuses that say more than any word beside them
 *     messages   wordings, where code and status say too little
 *     words      codes, types and status words, exact
 *     statuses   what a status means when nothing better is known
 *
 * In each row of the order the provider's own entry comes before the one that all share (common.ts).
 */
export interface FailureTable {
  readonly decisive?: Readonly<Record<number, FailureKind>>
  readonly messages?: readonly (readonly [RegExp, FailureKind])[]
  readonly words?: Readonly<Record<string, FailureKind>>
  readonly statuses?: Readonly<Record<number, FailureKind>>
}
