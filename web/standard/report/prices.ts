/** At which prices a figure of money stands. */
import type { CallReport, RunReport, StepReport } from '../../../bindings/report.js'
import { formatUsd } from '../format.js'

/** `prices of 2026-11-21; price of p m unknown, assumed $10.00 in and $50.00 out per million tokens`. */
export function pricesWords({ pricesAsOf, assumedPrices }: Pick<RunReport, 'pricesAsOf' | 'assumedPrices'>): string {
  const byPrice = new Map<string, string[]>()
  for (const { provider, model, inMicroUsdPerMtok: input, outMicroUsdPerMtok: output } of assumedPrices) {
    const price = `${formatUsd(input)} in and ${formatUsd(output)} out per million tokens`
    byPrice.set(price, [...(byPrice.get(price) ?? []), `${provider} ${model}`])
  }
  const assumed = [...byPrice].map(([price, models]) => `; price of ${models.join(', ')} unknown, assumed ${price}`)
  return `prices of ${pricesAsOf}${assumed.join('')}`
}

const atAssumed = ({ priceKnown, costMicroUsd }: CallReport): boolean => !priceKnown && costMicroUsd > 0

/** What a step has cost, as `formatCost` takes it. */
export function costOfStep({ costMicroUsd, calls }: StepReport): { costMicroUsd: number; priceAssumed: boolean } {
  return { costMicroUsd, priceAssumed: calls.some(atAssumed) }
}

/** What the run has cost, as `formatCost` takes it. */
export function costOfReport({ totals, assumedPrices }: Pick<RunReport, 'totals' | 'assumedPrices'>): {
  costMicroUsd: number
  priceAssumed: boolean
} {
  return { costMicroUsd: totals.costMicroUsd, priceAssumed: assumedPrices.length > 0 }
}
