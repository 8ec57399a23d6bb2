import { TAG, tagged } from '../../core/broadcast/wrapping.ts'
import { ScherzoError } from '../../core/errors.ts'
import { deflateWhole, inflateWhole } from '../../core/websocket/deflate.ts'
import { textFrame } from '../../core/websocket/frames.ts'
import { checkText } from '../../core/websocket/message.ts'
import type { EndpointOptions } from './options.ts'

/** What a handler sends where the subprotocol compresses. */
export function taggedFrame(
  data: string | Uint8Array,
  isBinary: boolean,
  { compressionThreshold, compressionLevel }: EndpointOptions
): Buffer {
  if (isBinary) return tagged(TAG.bytes, typeof data === 'string' ? Buffer.from(data) : data)
  const bytes = bytesToCompress(data, compressionThreshold)
  const compressed = bytes === null ? null : deflateWhole(bytes, compressionLevel)
  return compressed === null ? textFrame(data) : tagged(TAG.deflatedText, compressed)
}

/** Null where the message is too short for it. */
export function bytesToCompress(data: string | Uint8Array, threshold: number): Uint8Array | null {
  // A character takes at most three bytes.
  if (data.length * 3 < threshold) return null
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return bytes.length < threshold ? null : bytes
}

/**
 * A binary message of a client there.
 *
 * @throws SCZ_ERR_WS_TAG; SCZ_ERR_WS_COMPRESSED_DATA, SCZ_ERR_WS_MESSAGE_SIZE, SCZ_ERR_WS_TEXT, as for permessage-deflate
 */
export function readTagged(
  data: Buffer,
  maxBytes: number
): { readonly data: Buffer; readonly isBinary: boolean } {
  const rest = data.subarray(1)
  switch (data[0]) {
    case TAG.bytes:
      return { data: rest, isBinary: true }
    case TAG.deflatedText: {
      const text = inflateWhole(rest, maxBytes)
      checkText(text, 0, text.length)
      return { data: text, isBinary: false }
    }
    default:
      throw new ScherzoError('SCZ_ERR_WS_TAG')
  }
}
