/** The part of a configuration that says who drafts. */

/** Who drafts and who judges, as `provider` or `provider/model`, preferred first. */
export interface DraftsConfig {
  /** Models that draft. */
  readonly use?: readonly string[]
  /** Models that compare an accepted draft with a full answer; one of a third family is preferred. */
  readonly judge?: readonly string[]
  /** The full answer is asked for at the same time, and whichever is there first counts: sooner, at the price of both. Default false. */
  readonly hedged?: boolean
  /** Share of accepted drafts that are compared, 0.1 (default) to 1. */
  readonly audit?: number
}
