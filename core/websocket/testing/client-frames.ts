import { rotateKey } from '../mask.ts'

export interface ClientFrame {
  readonly opcode: number
  readonly payload?: string | Uint8Array
  readonly isFinal?: boolean
  /** RSV1, RSV2 and RSV3 as a number from 0 to 7, RSV1 on top. */
  readonly reserved?: number
  readonly isMasked?: boolean
  readonly key?: number
  /** 0, 2 or 8 bytes of extended length; as few as possible if not given. */
  readonly lengthBytes?: 0 | 2 | 8
  /** What the header says, if that is not the payload's length. */
  readonly announced?: bigint
}

/** A frame as a client sends it, or as none should. */
export function clientFrame(frame: ClientFrame): Buffer {
  const { opcode, isFinal = true, reserved = 0, isMasked = true, key = 0x37fa213d } = frame
  const payload = Buffer.from(frame.payload ?? '')
  const length = frame.announced ?? BigInt(payload.length)
  const lengthBytes = frame.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8)
  const header = Buffer.alloc(2 + lengthBytes + (isMasked ? 4 : 0))
  header[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  header[1] = (isMasked ? 0x80 : 0) | (lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127)
  if (lengthBytes === 2) header.writeUInt16BE(Number(length), 2)
  if (lengthBytes === 8) header.writeBigUInt64BE(length, 2)
  if (isMasked) {
    header.writeInt32BE(key | 0, 2 + lengthBytes)
    for (let at = 0; at < payload.length; at++) payload[at]! ^= rotateKey(key, at) >>> 24
  }
  return Buffer.concat([header, payload])
}

/** The frames one behind the other. */
export function clientFrames(...frames: readonly ClientFrame[]): Buffer {
  return Buffer.concat(frames.map((frame) => clientFrame(frame)))
}
