import { ScherzoError } from '../errors.ts'

/** A place in a channel: behind the message with this offset; 0 is before the first one. */
export interface Since {
  readonly epoch: string
  readonly offset: number
}

/** What became of a subscription that asked for what it had missed. */
export interface Recovered {
  readonly epoch: string
  /** Of the channel's last message when it went over to the live stream. */
  readonly offset: number
  /** How many messages it was given before the live stream. */
  readonly count: number
  /** Offsets from the first to the last one that can't be had any more; null if nothing is missing. */
  readonly lost: Lost | null
  /** SCZ_ERR_HUB_OFFSET where the offset was one that the channel does not have yet. */
  readonly error: ScherzoError | null
}

export interface Lost {
  readonly from: number
  readonly to: number
}

/** @throws SCZ_ERR_HUB_SINCE */
export function checkSince(since: unknown): void {
  const { epoch, offset } = Object(since) as { readonly epoch?: unknown; readonly offset?: unknown }
  if (typeof epoch === 'string' && Number.isSafeInteger(offset) && (offset as number) >= 0) return
  throw new ScherzoError('SCZ_ERR_HUB_SINCE')
}
