// The rule of vCache (Schroeder et al. 2025), per entry, for comparison: P(right | s) = σ(γ(s − t)), fitted on the entry's labelled
// look-ups and the two it starts out with, (0, wrong) and (1, right); it explores with probability min over ε of
// 1 − δ / (1 − (1 − ε)·σ(γ(s − t'))), t' the upper ε-quantile of t.

const quantiles = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5]
const upper = [3.09, 2.878, 2.576, 2.326, 2.054, 1.645, 1.282, 0.842, 0.524, 0]
const sigma = (x) => 1 / (1 + Math.exp(-x))
const clamp = (x, low, high) => Math.min(high, Math.max(low, x))

/** Of its own; with fewer it never serves: t has no variance that could be known. */
const leastLabels = 4

export class VcacheEntry {
  #seen = [
    [0, 0],
    [1, 1],
  ]

  label(similarity, right) {
    this.#seen.push([similarity, right ? 1 : 0])
  }

  /** The chance that it serves at this similarity. */
  serves(similarity, delta) {
    if (this.#seen.length < 2 + leastLabels) return 0
    const { intercept, slope, variance } = this.#fit()
    let explore = 1
    for (const [at, chance] of quantiles.entries()) {
      const t = clamp(-intercept / slope + upper[at] * Math.sqrt(Math.max(0, variance)), 0, 1)
      const right = (1 - chance) * sigma(slope * (similarity - t))
      explore = Math.min(explore, 1 - delta / (1 - right))
    }
    return 1 - Math.max(0, explore)
  }

  /** Newton's steps; a trace of ridge, since labels that can be parted cleanly have no finite fit. */
  #fit() {
    let [intercept, slope] = [-5, 10]
    let h = [1, 0, 1]
    for (let step = 0; step < 50; ++step) {
      let [g0, g1] = [0, 0]
      h = [1e-6, 0, 1e-6]
      for (const [s, right] of this.#seen) {
        const p = sigma(intercept + slope * s)
        const w = p * (1 - p)
        g0 += right - p
        g1 += (right - p) * s
        h[0] += w
        h[1] += w * s
        h[2] += w * s * s
      }
      const det = h[0] * h[2] - h[1] * h[1]
      intercept = clamp(intercept + (h[2] * g0 - h[1] * g1) / det, -300, 300)
      slope = clamp(slope + (h[0] * g1 - h[1] * g0) / det, 0.1, 300)
    }
    const det = h[0] * h[2] - h[1] * h[1]
    const [d0, d1] = [-1 / slope, intercept / (slope * slope)]
    return { intercept, slope, variance: (h[2] * d0 * d0 - 2 * h[1] * d0 * d1 + h[0] * d1 * d1) / det }
  }
}

/** How many of each kind the rule is expected to serve, over pairs in their order: each is a label for the next. */
export function vcacheServes(rows, delta) {
  const entries = new Map()
  const served = { mustMiss: 0, wrong: 0, shouldHit: 0, hits: 0 }
  for (const { pair, score } of rows) {
    if (!Number.isFinite(score)) continue
    const entry = entries.get(pair.a) ?? new VcacheEntry()
    entries.set(pair.a, entry)
    served[pair.same ? 'shouldHit' : 'mustMiss'] += 1
    served[pair.same ? 'hits' : 'wrong'] += entry.serves(score, delta)
    entry.label(score, pair.same)
  }
  return { ...served, entries: entries.size }
}
