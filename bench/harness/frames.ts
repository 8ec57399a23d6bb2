/** What a client does with a frame: its first byte, and where its payload lies. */
export interface FrameTaker {
  take: (first: number, bytes: Buffer, start: number, end: number) => void
}

export const TEXT = 0x81
export const CLOSE = 0x88
export const PING = 0x89
const PONG = 0x8a

const LENGTH_IN_2_BYTES = 126

/**
 * Hands over every whole frame between start and end and gives the position behind the last one. A server's frames are
 * not masked (RFC 6455, section 5.1), and here none has 64 KiB, so anything else is an error.
 */
export function walkFrames(bytes: Buffer, start: number, end: number, taker: FrameTaker): number {
  let at = start
  while (end - at >= 2) {
    let length = bytes[at + 1] as number
    let payload = at + 2
    if (length >= LENGTH_IN_2_BYTES) {
      if (length > LENGTH_IN_2_BYTES) throw new Error(`A frame has ${length} for its length`)
      if (end - at < 4) break
      length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
      payload = at + 4
    }
    const frameEnd = payload + length
    if (frameEnd > end) break
    taker.take(bytes[at] as number, bytes, payload, frameEnd)
    at = frameEnd
  }
  return at
}

/** A frame of a client, masked with a key of zeros, which leaves its payload as it is. */
export function composeText(text: string): Buffer {
  return compose(TEXT, Buffer.from(text))
}

export function composePong(payload: Buffer): Buffer {
  return compose(PONG, payload)
}

function compose(first: number, payload: Buffer): Buffer {
  const { length } = payload
  const lengthBytes =
    length < LENGTH_IN_2_BYTES ? [0x80 | length] : [0x80 | LENGTH_IN_2_BYTES, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([first, ...lengthBytes, 0, 0, 0, 0]), payload])
}
