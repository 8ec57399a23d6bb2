import type { Level, Range, Since } from './follower.ts'

/** A message of the server: docs/PROTOCOL.md says what may be in it. */
export interface Told {
  readonly id?: number
  readonly ok?: Level & { readonly messages?: readonly Kept[] }
  /** Of an answer an object, of a `lost` notice the code. */
  readonly error?: { readonly code: string } | string
  readonly connected?: { readonly channels: readonly string[]; readonly identity: string | null }
  readonly channel?: string
  readonly epoch?: string
  readonly offset?: number
  readonly data?: { readonly n: number }
  readonly subscribed?: Since
  readonly lost?: Range
  readonly skipped?: Range & { readonly count: number }
  readonly unsubscribed?: { readonly code: string }
  readonly drain?: { readonly reconnect: string }
  /** The app of this test says which thread it is. */
  readonly thread?: number
}

/** A message of the history. */
export interface Kept {
  readonly offset: number
  readonly data?: { readonly n: number }
  readonly base64?: string
}

export function readTold(data: Buffer, isBinary: boolean): Told {
  if (!isBinary) return JSON.parse(data.toString()) as Told
  const length = data.readUInt16BE(0)
  return {
    channel: data.toString('utf8', 2, 2 + length),
    offset: Number(data.readBigUInt64BE(2 + length)),
    data: { n: numberIn(data.subarray(10 + length)) }
  }
}

/** Of a message that was published as bytes. */
export function bytesOf(n: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n)
  return bytes
}

export function numberIn(bytes: Buffer): number {
  return bytes.readUInt32BE(0)
}
