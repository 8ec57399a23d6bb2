import { summarise } from '../harness/statistics.ts'

export type Verdict = 'faster' | 'slower' | 'no difference'

export interface Comparison {
  before: number
  after: number
  /** `after` as a share of `before`, less 1. */
  change: number
  /** The change that two runs of the same code showed. */
  noise: number
  verdict: Verdict
}

/**
 * Compares the medians of some processes. Each process gives one figure, since what differs between processes (where the memory
 * lies, what the compiler chose) differs less within one.
 *
 * A change counts if it is larger than what half of the processes of one commit differ from the other half by, and than 3 %,
 * and if most pairs of processes of the two agree on it.
 */
export function compareFigures(before: readonly number[], after: readonly number[]): Comparison {
  const medians = { before: summarise(before).median, after: summarise(after).median }
  const change = medians.after / medians.before - 1
  const noise = Math.max(halvesDiffer(before), halvesDiffer(after))
  const wins = before.flatMap((one) => after.map((other) => Number(other < one)))
  const share = wins.reduce((sum, win) => sum + win, 0) / wins.length
  const isClear = Math.abs(change) > Math.max(noise, LEAST) && Math.max(share, 1 - share) >= AGREEING
  return {
    ...medians,
    change,
    noise,
    verdict: isClear ? (change < 0 ? 'faster' : 'slower') : 'no difference'
  }
}

const LEAST = 0.03
/** Of all pairs of processes of the two commits. */
const AGREEING = 0.85

/** Every other one against the rest: what drifts while they run is in both halves. */
function halvesDiffer(figures: readonly number[]): number {
  const [even, odd] = [0, 1].map((rest) => summarise(figures.filter((_, index) => index % 2 === rest)).median)
  return Math.abs(even! / odd! - 1)
}
