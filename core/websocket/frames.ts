import { ScherzoError } from '../errors.ts'
import { isCloseCode } from './close-codes.ts'
import { BINARY, CLOSE, MAX_CONTROL_PAYLOAD, PING, PONG, TEXT } from './opcodes.ts'

/**
 * A text message in one frame.
 *
 * @param data a string, or bytes that are known to be UTF-8
 * @param isCompressed whether `data` is what `compress` gave
 */
export function textFrame(data: string | Uint8Array, isCompressed = false): Buffer {
  return dataFrame(TEXT, data, isCompressed)
}

/** A binary message in one frame; a string gives its UTF-8. */
export function binaryFrame(data: string | Uint8Array, isCompressed = false): Buffer {
  return dataFrame(BINARY, data, isCompressed)
}

/** @throws SCZ_ERR_WS_PING_SIZE for more than 125 bytes */
export function pingFrame(data: string | Uint8Array = ''): Buffer {
  return controlFrame(PING, data)
}

/** @throws SCZ_ERR_WS_PING_SIZE for more than 125 bytes */
export function pongFrame(data: string | Uint8Array = ''): Buffer {
  return controlFrame(PONG, data)
}

/**
 * @param code null for a close frame without a code, and so without a reason
 * @param reason cut at the end of a character where it is longer than 123 bytes
 * @throws SCZ_ERR_WS_CLOSE_CODE for a code that must not be sent
 */
export function closeFrame(code: number | null = null, reason = ''): Buffer {
  if (code === null) return frame(CLOSE, 0)
  if (!isCloseCode(code)) throw new ScherzoError('SCZ_ERR_WS_CLOSE_CODE', [code])
  // encodeInto writes whole characters only.
  const { written } = encoder.encodeInto(reason, reasonBytes)
  const bytes = frame(CLOSE, 2 + written)
  bytes.writeUInt16BE(code, 2)
  bytes.set(reasonBytes.subarray(0, written), 4)
  return bytes
}

const encoder = new TextEncoder()
const reasonBytes = new Uint8Array(MAX_CONTROL_PAYLOAD - 2)

function dataFrame(opcode: number, data: string | Uint8Array, isCompressed: boolean): Buffer {
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  const bytes = frame(opcode, length)
  if (isCompressed) bytes[0]! |= 0x40
  const start = bytes.length - length
  if (typeof data === 'string') bytes.write(data, start)
  else bytes.set(data, start)
  return bytes
}

function controlFrame(opcode: number, data: string | Uint8Array): Buffer {
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length
  if (length > MAX_CONTROL_PAYLOAD) throw new ScherzoError('SCZ_ERR_WS_PING_SIZE', [length])
  return dataFrame(opcode, data, false)
}

/** Whether a whole frame of ours has text. */
export function isTextFrame(bytes: Buffer): boolean {
  return (bytes[0]! & 0x0f) === TEXT
}

/** What is in a whole frame of ours. */
export function payloadOf(bytes: Buffer): Buffer {
  const length = bytes[1]!
  return bytes.subarray(length < 126 ? 2 : length === 126 ? 4 : 10)
}

/** A final, unmasked frame (RFC 6455 section 5.1: a server masks none) with room for its payload at its end. */
export function frame(opcode: number, length: number): Buffer {
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const bytes = Buffer.allocUnsafe(header + length)
  bytes[0] = 0x80 | opcode
  if (header === 2) {
    bytes[1] = length
  } else if (header === 4) {
    bytes[1] = 126
    bytes.writeUInt16BE(length, 2)
  } else {
    bytes[1] = 127
    bytes.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    bytes.writeUInt32BE(length % 2 ** 32, 6)
  }
  return bytes
}
