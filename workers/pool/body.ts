import type { IncomingMessage } from 'node:http'

/** The longest body that is sent to a pool thread; longer ones are read where the socket is. In bytes. */
export const LONGEST_BODY = 1_048_576

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Reads the body of a request. A longer one than the limit is put back, as if nobody had read of it. Of a client that goes
 * away before it has sent all, nothing is heard.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  onBody: (body: Uint8Array<ArrayBuffer>) => void,
  onTooLong: () => void
): void {
  const chunks: Buffer[] = []
  let length = 0
  request.on('readable', read)
  request.on('end', end)

  function read(): void {
    for (;;) {
      const chunk = request.read() as Buffer | null
      if (chunk === null) return
      chunks.push(chunk)
      length += chunk.length
      if (length > limit) return putBack()
    }
  }

  function putBack(): void {
    request.off('readable', read)
    request.off('end', end)
    request.unshift(Buffer.concat(chunks))
    // The stream is as it was in the next tick only.
    process.nextTick(onTooLong)
  }

  function end(): void {
    const body = new Uint8Array(length)
    let offset = 0
    for (const chunk of chunks) {
      body.set(chunk, offset)
      offset += chunk.length
    }
    onBody(body)
  }
}
