/**
 * The plan as it stands, kept for this tab: a reload brings it back. In the session's storage, so that tabs do not overwrite each other
 * and it goes with the tab. Plan and settings alone; never keys, files or answers.
 */

export interface Draft {
  readonly plan: string
  /** Example that the plan still is; '': the visitor's own. */
  readonly example: string
  /** Values of the settings by their names. */
  readonly settings: Readonly<Record<string, string>>
  /** Fragment of the address when it was kept: of another link, the link counts. */
  readonly link: string
}

const key = 'aetherflow.draft'

/** What does not fit, or may not be kept, is gone without: nothing else depends on it. */
export function keepDraft(draft: Draft): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(draft))
  } catch {
    // Refused, or full.
  }
}

/** Undefined: there is none, or it is not one of ours. */
export function keptDraft(): Draft | undefined {
  try {
    const draft = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<Draft> | null
    if (typeof draft?.plan !== 'string' || draft.plan === '') return undefined
    const { plan, example, settings, link } = draft
    const known = Object.entries(settings ?? {}).filter(([, value]) => typeof value === 'string')
    return { plan, example: String(example ?? ''), settings: Object.fromEntries(known), link: String(link ?? '') }
  } catch {
    return undefined
  }
}
