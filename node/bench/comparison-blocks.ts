/** The report of a comparison, before it is Markdown or HTML. */
import { formatShare } from '../../web/standard/format.js'
import { facts, heading, paragraph, table, type Block, type Cell } from '../../web/standard/report/blocks.js'
import { armWords } from './arms.js'
import { figureWords, simulatedWords } from './benchmark-blocks.js'
import type { ComparedArm, ComparedFigure, ComparisonData } from './comparison.js'
import { figures } from './figures.js'

/** `links`: where the report of a plan and arm lies, relative to this one. `charts`: blocks behind the first table. */
export function comparisonBlocks(
  data: ComparisonData,
  {
    links,
    charts = [],
  }: { readonly links?: (plan: string, arm: string) => string; readonly charts?: readonly Block[] },
): Block[] {
  const { arms, plans, simulated } = data
  return [
    { kind: 'title', text: `Comparison of ${arms.map(({ name }) => name).join(', ')}` },
    ...simulatedWords(simulated),
    heading('Arms'),
    facts(
      arms.map(({ name, settings }, index) => [name, `${armWords(settings)}${index === 0 ? '; the baseline' : ''}`]),
    ),
    ...arms.slice(1).flatMap((arm) => differences(arm, data.baseline)),
    ...charts,
    heading('All arms'),
    paragraph('Medians over all runs.'),
    figureTable(arms),
    ...targetTable(arms),
    ...(plans.length > 1 ? arms.slice(1).flatMap((arm) => byPlan(arm, data.baseline)) : []),
    ...(links === undefined
      ? []
      : [
          heading('Each plan and arm'),
          table(
            ['', ...arms.map(({ name }) => name)],
            plans.map((plan) => [plan, ...arms.map(({ name }): Cell => ({ text: 'report', href: links(plan, name) }))]),
          ),
        ]),
    heading('How to read it'),
    ...data.remarks.map((remark) => paragraph(remark)),
  ]
}

const figureOf = new Map(figures.map((figure) => [figure.name, figure]))

const heads = (before: string, after: string): string[] => ['', before, after, 'difference', 'pairs', '']

function differences({ name, all }: ComparedArm, baseline: string): Block[] {
  return [heading(`${name} against ${baseline}`), table(heads(baseline, name), all.map(differenceRow))]
}

function differenceRow(compared: ComparedFigure): Cell[] {
  const { figure, before, after, verdict, difference } = compared
  const { words = figure, format = String } = figureOf.get(figure) ?? {}
  return [
    words,
    format(before),
    format(after),
    differenceText(compared),
    String(difference.n),
    verdict === 'better' || verdict === 'worse' ? [{ strong: verdict }] : verdict,
  ]
}

/** `−12.3 % [−15.0, −9.8]`, or points for what is a share itself. */
export function differenceText({ difference, relative, figure }: ComparedFigure): string {
  const { value, low, high } = difference
  if (value === null) return '–'
  const { format = String } = figureOf.get(figure) ?? {}
  const share = relative || format === formatShare
  const number = (one: number): string => {
    const size = Math.abs(share ? one * 100 : one)
    const shown = share ? size.toFixed(1) : format(size)
    return `${one < 0 && shown !== '0.0' ? '−' : '+'}${shown}`
  }
  const unit = relative ? ' %' : share ? ' points' : ''
  return low === null || high === null
    ? `${number(value)}${unit}`
    : `${number(value)}${unit} [${number(low)}, ${number(high)}]`
}

function figureTable(arms: readonly ComparedArm[]): Block {
  const rows = figures.flatMap(({ name, words, format }) => {
    const cells = arms.map((arm) => (Object.hasOwn(arm.figures, name) ? arm.figures[name] : undefined))
    if (cells.every((cell) => cell === undefined)) return []
    return [[words, ...cells.map((cell) => (cell === undefined ? '–' : figureWords(cell, format)))]]
  })
  return table(['', ...arms.map(({ name }) => name)], rows)
}

function targetTable(arms: readonly ComparedArm[]): Block[] {
  const rows = (arms[0]?.targets ?? []).map(({ name, target }) => [
    target,
    ...arms.map((arm) => {
      const own = arm.targets.find((one) => one.name === name)
      if (own === undefined) return '–'
      return own.figure === '' ? own.verdict : `${own.verdict}: ${own.figure}`
    }),
  ])
  return [heading('Targets'), table(['', ...arms.map(({ name }) => name)], rows)]
}

function byPlan({ name, byPlan: plans }: ComparedArm, baseline: string): Block[] {
  const shown = ['makespanMs', 'costMicroUsd', 'firstTrySuccess', 'firstTokenMs']
  const rows = plans.map(({ plan, figures: compared }) => [
    plan,
    ...shown.map((figure) => {
      const own = compared.find((one) => one.figure === figure)
      return own === undefined ? '–' : `${differenceText(own)}${own.verdict === 'better' ? '' : `, ${own.verdict}`}`
    }),
  ])
  const words = shown.map((figure) => figureOf.get(figure)?.words ?? figure)
  return [heading(`${name} against ${baseline}, by plan`), table(['', ...words], rows)]
}

/** For screens: what is shown and what is not. */
export const verdictLine = ({ name, all }: ComparedArm, baseline: string): string => {
  const told = ['makespanMs', 'costMicroUsd', 'firstTrySuccess'].flatMap((figure) => {
    const own = all.find((one) => one.figure === figure)
    if (own === undefined) return []
    const words = figureOf.get(figure)?.words ?? figure
    return [`${words} ${differenceText(own)}${own.verdict === 'better' ? '' : `, ${own.verdict}`}`]
  })
  return `${name} against ${baseline}: ${told.length === 0 ? 'no pairs of runs' : told.join('; ')}`
}
