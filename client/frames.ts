// What is in a WebSocket message: see "What subscribers get" in docs/WEBSOCKETS.md.

/** The subprotocol whose binary messages say in their first byte what they hold. */
export const DEFLATE_PROTOCOL = 'scherzo.v1+deflate'

/** The server takes the second one where it may compress, and something on the way has taken permessage-deflate out. */
export const PROTOCOLS: readonly string[] = [
  'scherzo.v1',
  ...('DecompressionStream' in globalThis ? [DEFLATE_PROTOCOL] : [])
]

/**
 * Gives the notices in a message of the server, in their order. A promise only where it has to be inflated. What is no
 * message of the protocol comes as it is: apps may send their own.
 *
 * @param isTagged whether the subprotocol is `scherzo.v1+deflate`
 */
export function openMessage(
  data: string | ArrayBuffer,
  isTagged: boolean
): readonly unknown[] | Promise<readonly unknown[]> {
  if (typeof data === 'string') return noticesIn(data)
  const bytes = new Uint8Array(data)
  const first = bytes[0]!
  if (isTagged && first === DEFLATED_TEXT) return inflate(bytes.subarray(1)).then(noticesIn)
  // Names have up to 1024 bytes: the first byte of their length is below any that JSON begins with.
  if (!isTagged && first > 4) return noticesIn(new TextDecoder().decode(bytes))
  return [payloadOf(bytes, isTagged ? 1 : 0)]
}

const DEFLATED_TEXT = 1

/** A batch is an array. */
function noticesIn(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : [value]
  } catch {
    return [text]
  }
}

function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text()
}

/** Bytes that were published: two bytes of length, the channel's name, eight bytes of offset, the bytes. */
function payloadOf(bytes: Uint8Array<ArrayBuffer>, at: number): object {
  if (bytes.length < at + 10) return bytes
  const view = new DataView(bytes.buffer)
  const start = at + 2
  const end = start + view.getUint16(at)
  if (bytes.length < end + 8) return bytes
  const channel = new TextDecoder().decode(bytes.subarray(start, end))
  const offset = Number(view.getBigUint64(end))
  const data = bytes.subarray(end + 8)
  return { ...(channel && { channel }), ...(offset > 0 && { offset }), data }
}
