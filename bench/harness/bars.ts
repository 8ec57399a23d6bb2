import type { CaseResult } from './case.ts'
import { figureOf } from './sample.ts'
import { type Summary, summariseRatios } from './statistics.ts'

/** What is asked of a server: a ratio of one of its figures to a peer's, at least or at most so much. */
export interface Bar {
  case: string
  server: string
  peer: string
  figure: string
  /** The figure in words. */
  title: string
  wanted: { atLeast: number } | { atMost: number }
}

/** The ratio of two servers' figures, or null where one of them did not run. */
export function compare(
  result: CaseResult | undefined,
  server: string,
  peer: string,
  figure: string
): Summary | null {
  const ours = result?.samples.get(server)
  const theirs = result?.samples.get(peer)
  if (ours === undefined || theirs === undefined) return null
  const read = (sample: (typeof ours)[number]): number => figureOf(sample, figure)
  return summariseRatios(ours.map(read), theirs.map(read))
}

export function isMet({ wanted }: Bar, ratio: number): boolean {
  return 'atLeast' in wanted ? ratio >= wanted.atLeast : ratio <= wanted.atMost
}
