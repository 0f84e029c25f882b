/** The promises of drafts: more than this share accepted, and this much faster. */
export const draftTargets = { accepted: 0.7, speedup: 1.5 } as const
