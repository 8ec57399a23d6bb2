import { ScherzoError } from '../errors.ts'
import { BINARY, CLOSE, CONTINUATION, MAX_CONTROL_PAYLOAD, PONG } from './opcodes.ts'

/** Two bytes, eight of length, four of masking key. */
export const MAX_HEADER_BYTES = 14

/** One frame's header. Reused from frame to frame. */
export class FrameHeader {
  isFinal = false
  isCompressed = false
  opcode = 0
  /** Of the payload; above 2^53 not exact, and far above every limit. */
  length = 0
  /** The masking key, first byte on top. */
  key = 0
}

/**
 * Reads the header of a client's frame from `start`, if it is whole before `end`; faults show as soon as two bytes are there.
 * A length in more bytes than it needs is read as it stands, as other servers do: it is unambiguous.
 *
 * @param mayCompress whether permessage-deflate was negotiated, which gives RSV1 its meaning
 * @returns the length of the header, or 0 where more bytes are needed
 * @throws a ScherzoError with close code 1002
 */
export function readHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  mayCompress: boolean,
  header: FrameHeader
): number {
  if (end - start < 2) return 0
  const first = bytes[start]!
  const second = bytes[start + 1]!
  const opcode = first & 0x0f
  const isFinal = first >= 0x80
  const shortLength = second & 0x7f
  checkBits(first, opcode, mayCompress)
  if (second < 0x80) throw new ScherzoError('SCZ_ERR_WS_UNMASKED')
  if (opcode >= CLOSE && (!isFinal || shortLength > MAX_CONTROL_PAYLOAD)) {
    throw new ScherzoError('SCZ_ERR_WS_CONTROL_FRAME')
  }

  const lengthBytes = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0
  const keyAt = start + 2 + lengthBytes
  if (end < keyAt + 4) return 0
  header.isFinal = isFinal
  header.isCompressed = (first & RSV1) !== 0
  header.opcode = opcode
  header.length = lengthBytes === 0 ? shortLength : numberAt(bytes, start + 2, keyAt)
  header.key = numberAt(bytes, keyAt, keyAt + 4) | 0
  return keyAt + 4 - start
}

const RSV1 = 0x40
const RSV2_AND_RSV3 = 0x30

/** RFC 6455 section 5.2; RFC 7692 section 6 for RSV1, which marks the first frame of a data message only. */
function checkBits(first: number, opcode: number, mayCompress: boolean): void {
  const mayHaveRsv1 = mayCompress && opcode !== CONTINUATION && opcode < CLOSE
  if ((first & RSV2_AND_RSV3) !== 0 || ((first & RSV1) !== 0 && !mayHaveRsv1)) {
    throw new ScherzoError('SCZ_ERR_WS_RESERVED_BITS')
  }
  if (opcode > PONG || (opcode > BINARY && opcode < CLOSE)) {
    throw new ScherzoError('SCZ_ERR_WS_OPCODE', [opcode])
  }
}

function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) number = number * 256 + bytes[at]!
  return number
}
