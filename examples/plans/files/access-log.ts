const hits = new Map<string, number>()

/** Counts a request; called from every worker of the server. */
export function count(line: string): void {
  const path = line.split(' ')[6]!
  hits.set(path, (hits.get(path) ?? 0) + 1)
}

/** The busiest paths. */
export function top(n: number): [string, number][] {
  return [...hits.entries()].sort((a, b) => b[1] - a[1]).slice(0, n)
}
