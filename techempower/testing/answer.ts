/** A response as it stood on the wire. */
export interface Answer {
  readonly status: number
  /** By name in lower case; repeated ones are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

const HEAD_END = '\r\n\r\n'

/**
 * Takes the first response off the bytes; null while it is not whole.
 *
 * @param method of its request: the response to HEAD has no body, whatever its head says
 */
export function takeAnswer(bytes: Buffer, method: string): { answer: Answer; rest: Buffer } | null {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1) return null
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(statusLine) ?? []
  if (code === undefined) throw new Error(`Not a status line: ${statusLine}`)
  const status = Number(code)
  const headers = headersOf(lines)
  const behind = bytes.subarray(headEnd + HEAD_END.length)
  const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304
  const taken = hasBody ? takeBody(behind, headers) : { body: Buffer.alloc(0), rest: behind }
  return taken === null ? null : { answer: { status, headers, body: taken.body }, rest: taken.rest }
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+): ?(.*)$/.exec(line) ?? []
    if (name === '') throw new Error(`Not a header: ${line}`)
    const key = name.toLowerCase()
    const before = headers.get(key)
    headers.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  return headers
}

function takeBody(
  bytes: Buffer,
  headers: ReadonlyMap<string, string>
): { body: Buffer; rest: Buffer } | null {
  if (headers.get('transfer-encoding') === 'chunked') return takeChunks(bytes)
  const length = Number(headers.get('content-length') ?? Number.NaN)
  if (Number.isNaN(length)) throw new Error('A response has neither a Content-Length nor chunks')
  if (bytes.length < length) return null
  return { body: bytes.subarray(0, length), rest: bytes.subarray(length) }
}

function takeChunks(bytes: Buffer): { body: Buffer; rest: Buffer } | null {
  const chunks: Buffer[] = []
  for (let at = 0; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    const start = lineEnd + 2
    if (bytes.length < start + size + 2) return null
    if (size === 0) return { body: Buffer.concat(chunks), rest: bytes.subarray(start + 2) }
    chunks.push(bytes.subarray(start, start + size))
    at = start + size + 2
  }
}
