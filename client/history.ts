import type { History, PastMessage, Position } from './contract.ts'

/** The past of a channel as the server answers it. */
export interface HistoryAnswer extends Position {
  readonly messages: readonly AnsweredMessage[]
}

interface AnsweredMessage {
  readonly offset: number
  readonly data?: unknown
  /** Bytes that were published, instead of `data`. */
  readonly base64?: string
  readonly time: number
  readonly key?: string
}

export function historyOf<Data>(channel: string, { epoch, offset, messages }: HistoryAnswer): History<Data> {
  return {
    epoch,
    offset,
    messages: messages.map((each) => messageOf(channel, epoch, each) as PastMessage<Data>)
  }
}

function messageOf(channel: string, epoch: string, message: AnsweredMessage): PastMessage {
  const { offset, base64, time, key = null } = message
  const data =
    base64 === undefined ? message.data : Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))
  return { channel, epoch, offset, data, time, key }
}
