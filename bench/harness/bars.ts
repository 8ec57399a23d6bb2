import type { CaseResult } from './case.ts'
import { figureOf } from './sample.ts'
import { summarise, type Summary, summariseRatios } from './statistics.ts'

/** What is asked of a server: one of its figures, or the ratio of that to a peer's, at least or at most so much. */
export interface Bar {
  case: string
  server: string
  /** Null where the figure itself is asked for. */
  peer: string | null
  figure: string
  /** The figure in words. */
  title: string
  wanted: { atLeast: number } | { atMost: number }
}

export function measureBar(result: CaseResult | undefined, { server, peer, figure }: Bar): Summary | null {
  if (peer !== null) return compare(result, server, peer, figure)
  const samples = result?.samples.get(server)
  return samples === undefined ? null : summarise(samples.map((sample) => figureOf(sample, figure)))
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

export function isMet({ wanted }: Bar, value: number): boolean {
  return 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost
}
