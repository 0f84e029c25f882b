/**
 * The quality of an answer, with its parts: nothing that does not parse is worth anything; else tests count 0.7, lint 0.2, shape 0.1.
 * Without tests the score is partial: over lint and shape alone, and never compared with whole ones.
 */
import type { CodeReport } from './code-report.js'

export interface Quality {
  /** 0–1. */
  readonly score: number
  readonly partial: boolean
  readonly parses: boolean
  /** Share of the tests that passed; undefined: there were none. */
  readonly tests: number | undefined
  /** 1 less a tenth for each lint error in 100 lines, not below 0; undefined: no rules for the language. */
  readonly lint: number | undefined
  /** 1: nothing is left out. */
  readonly shape: number
}

export const weights = { tests: 0.7, lint: 0.2, shape: 0.1 } as const

/** `tests`: share that passed. Of several files the errors and lines are added. undefined: no file could be read. */
export function qualityOf(reports: readonly CodeReport[], tests: number | undefined): Quality | undefined {
  if (reports.length === 0) return undefined
  const parses = reports.every(({ syntax }) => syntax.length === 0)
  const linted = reports.filter(({ lint }) => lint !== undefined)
  const errors = linted.reduce((sum, { lint }) => sum + (lint?.length ?? 0), 0)
  const lines = linted.reduce((sum, report) => sum + report.lines, 0)
  const lint = linted.length === 0 ? undefined : Math.max(0, 1 - ((errors / Math.max(1, lines)) * 100) / 10)
  const shape = reports.every((report) => report.shape.length === 0) ? 1 : 0
  const parts = [
    [tests, weights.tests],
    [lint, weights.lint],
    [shape, weights.shape],
  ] as const
  let [sum, weight] = [0, 0]
  for (const [value, of] of parts)
    if (value !== undefined) {
      sum += value * of
      weight += of
    }
  return { score: parses ? sum / weight : 0, partial: tests === undefined, parses, tests, lint, shape }
}
