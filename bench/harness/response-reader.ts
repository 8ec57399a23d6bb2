export interface Response {
  status: number
  headers: Map<string, string>
  body: string
}

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * Takes whole responses off a stream of bytes. Only bodies with a Content-Length: every server here sends one, and a
 * server that changed to chunks would no longer do the same work as the others.
 */
export class ResponseReader {
  #pending: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): Response[] {
    this.#pending = Buffer.concat([this.#pending, bytes])
    const responses: Response[] = []
    for (;;) {
      const response = this.#take()
      if (response === null) return responses
      responses.push(response)
    }
  }

  #take(): Response | null {
    const headEnd = this.#pending.indexOf(HEAD_END)
    if (headEnd === -1) return null
    const [statusLine = '', ...lines] = this.#pending.toString('latin1', 0, headEnd).split('\r\n')
    const headers = new Map(lines.map(splitHeader))
    const length = Number(headers.get('content-length') ?? Number.NaN)
    if (Number.isNaN(length)) throw new Error(`A response has no Content-Length: ${statusLine}`)
    const bodyStart = headEnd + HEAD_END.length
    if (this.#pending.length < bodyStart + length) return null
    const body = this.#pending.toString('utf8', bodyStart, bodyStart + length)
    this.#pending = this.#pending.subarray(bodyStart + length)
    return { status: Number(statusLine.split(' ')[1]), headers, body }
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
