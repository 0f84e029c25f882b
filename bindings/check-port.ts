/** What checks of answers find: types only. */
/** A part of a check, cheap ones first. `skipped`: it was not done, and `why` says so. */
export interface CheckPart {
  readonly kind: 'edit' | 'syntax' | 'lint' | 'shape' | 'command' | 'tests' | 'rubric'
  readonly outcome: 'pass' | 'fail' | 'skipped'
  /** For people: what failed, or why it was skipped. */
  readonly why?: string
  /** Of tests, and of rubrics: items that held. */
  readonly passed?: number
  readonly total?: number
  /** Tests that pass without the answer too, or with every small change that was made to it: they say nothing. */
  readonly weak?: true
}

/** The quality score of an answer and what it is made of; see node/check/quality.ts. */
export interface AnswerQuality {
  /** 0–1. */
  readonly score: number
  /** Without tests: never compared with whole scores. */
  readonly partial: boolean
  readonly parses: boolean
  readonly tests?: number | undefined
  readonly lint?: number | undefined
  readonly shape: number
}

/** What the check of an answer found. */
export interface CheckFound {
  readonly pass: boolean
  /** Empty: nothing of the answer could be checked. */
  readonly parts: readonly CheckPart[]
  /** Something of it is run, and not only read, once it parses: it counts for first-try success. */
  readonly functional: boolean
  readonly quality?: AnswerQuality
  /** The box in which programs ran. */
  readonly box?: string
}
