export interface Summary {
  median: number
  min: number
  max: number
}

/** Medians, not means: one disturbed repeat on a busy machine must not move the figure. */
export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: median(sorted), min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

/**
 * The ratio of two servers, taken within each repeat and summarised afterwards. What slows a machine down for a while
 * slows both halves of a pair, so pairs agree better than the two medians do.
 */
export function summariseRatios(numerators: readonly number[], denominators: readonly number[]): Summary {
  const ratios: number[] = []
  for (const [index, numerator] of numerators.entries()) {
    const denominator = denominators[index]
    if (denominator !== undefined) ratios.push(numerator / denominator)
  }
  return summarise(ratios)
}

/** Repeat by repeat another one goes first, so that no server always runs on a machine warmed up by the same other. */
export function rotate<T>(items: readonly T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function median(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN
  return (lower + upper) / 2
}
