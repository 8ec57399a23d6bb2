import {
  COLON,
  CR,
  LF,
  QUESTION_MARK,
  SPACE,
  TAB,
  isFieldValueByte,
  isPlainHostByte,
  isQueryByte,
  isTokenByte
} from './characters.ts'

/** The head is whole and one that the fast lane may answer. */
export const COMPLETE = 1
/** So far nothing is wrong, but the head ends in a later read. */
export const PARTIAL = 0
/** Malformed, or asks for something that only a full HTTP server does. */
export const UNSURE = -1
export type ScanResult = typeof COMPLETE | typeof PARTIAL | typeof UNSURE

export type FastMethod = 'GET' | 'HEAD' | 'OPTIONS'

/**
 * A longer head is left to the main lane, which has limits of its own (16 KiB by default): two parsers that count
 * differently must not disagree near a limit.
 */
export const MAX_HEAD_BYTES = 8192

/** Node drops headers beyond its maxHeadersCount (2,000); far below that both lanes see the same ones. */
const MAX_HEADER_LINES = 200

/** Where the parts of one request head lie in its bytes. Reused from scan to scan. */
export class RequestHead {
  method: FastMethod = 'GET'
  /** First byte of the target, the slash. */
  targetStart = 0
  /** Behind the last byte of the path. */
  pathEnd = 0
  /** Behind the last byte of the target, query included. */
  targetEnd = 0
  /** First byte of the first header line. */
  headersStart = 0
  /** Behind the empty line: where the next request starts. */
  end = 0
  /** The client asked to close the connection after this response. */
  close = false
}

/**
 * Reads one HTTP/1.1 request head from `bytes`, from `start` up to `limit`.
 *
 * It says COMPLETE only for what RFC 9112 leaves no doubt about: GET, HEAD or OPTIONS, an origin-form target, HTTP/1.1,
 * well-formed header lines that end in CRLF, exactly one Host that is a plain name or IPv4 address with an optional port,
 * no body and nothing that changes the connection. `head` is filled in only then.
 */
export function scanHead(bytes: Uint8Array, start: number, limit: number, head: RequestHead): ScanResult {
  const end = Math.min(limit, start + MAX_HEAD_BYTES)
  const incomplete = end < limit ? UNSURE : PARTIAL

  const method = methodAt(bytes, start, end)
  if (method === null)
    return limit - start < LONGEST_METHOD && isMethodPrefix(bytes, start, limit) ? PARTIAL : UNSURE
  const targetStart = start + method.length + 1

  let at = targetStart
  if (at === end) return incomplete
  if (bytes[at] !== SLASH) return UNSURE
  while (at < end && bytes[at] !== QUESTION_MARK && isQueryByte[bytes[at]!]) at++
  const pathEnd = at
  while (at < end && isQueryByte[bytes[at]!]) at++
  if (at === end) return incomplete
  if (bytes[at] !== SPACE) return UNSURE
  const targetEnd = at

  for (let index = 0; index < VERSION.length; index++, at++) {
    if (at === end) return incomplete
    if (bytes[at] !== VERSION[index]) return UNSURE
  }
  const headersStart = at

  let hasHost = false
  let hasConnection = false
  let close = false
  for (let lines = 0; lines <= MAX_HEADER_LINES; lines++) {
    if (at === end) return incomplete
    if (bytes[at] === CR) {
      if (at + 1 === end) return incomplete
      if (bytes[at + 1] !== LF || !hasHost) return UNSURE
      head.method = method
      head.targetStart = targetStart
      head.pathEnd = pathEnd
      head.targetEnd = targetEnd
      head.headersStart = headersStart
      head.end = at + 2
      head.close = close
      return COMPLETE
    }

    const nameStart = at
    while (at < end && isTokenByte[bytes[at]!]) at++
    if (at === end) return incomplete
    const nameLength = at - nameStart
    if (bytes[at] !== COLON || nameLength === 0) return UNSURE
    at++
    while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++
    const valueStart = at
    while (at < end && isFieldValueByte[bytes[at]!]) at++
    if (at + 1 >= end) return at < end && bytes[at] !== CR ? UNSURE : incomplete
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return UNSURE

    switch (nameLength) {
      case 4:
        if (!matches(bytes, nameStart, HOST)) break
        if (hasHost || !isPlainHost(bytes, valueStart, at)) return UNSURE
        hasHost = true
        break
      case 10:
        if (!matches(bytes, nameStart, CONNECTION)) break
        if (hasConnection) return UNSURE
        hasConnection = true
        if (at - valueStart === CLOSE.length && matches(bytes, valueStart, CLOSE)) close = true
        else if (at - valueStart !== KEEP_ALIVE.length || !matches(bytes, valueStart, KEEP_ALIVE))
          return UNSURE
        break
      case 6:
        if (matches(bytes, nameStart, EXPECT)) return UNSURE
        break
      case 7:
        if (matches(bytes, nameStart, UPGRADE)) return UNSURE
        break
      case 12:
        // With a Content-Type Fastify expects OPTIONS to have a body.
        if (method === 'OPTIONS' && matches(bytes, nameStart, CONTENT_TYPE)) return UNSURE
        break
      case 14:
        if (matches(bytes, nameStart, CONTENT_LENGTH)) return UNSURE
        break
      case 16:
        // Node's parser reads Proxy-Connection as if it were Connection.
        if (matches(bytes, nameStart, PROXY_CONNECTION)) return UNSURE
        break
      case 17:
        if (matches(bytes, nameStart, TRANSFER_ENCODING)) return UNSURE
        break
    }
    at += 2
  }
  return UNSURE
}

const SLASH = 0x2f
const VERSION = lettersOf(' HTTP/1.1\r\n')
const HOST = lettersOf('host')
const CONNECTION = lettersOf('connection')
const KEEP_ALIVE = lettersOf('keep-alive')
const CLOSE = lettersOf('close')
const EXPECT = lettersOf('expect')
const UPGRADE = lettersOf('upgrade')
const CONTENT_TYPE = lettersOf('content-type')
const CONTENT_LENGTH = lettersOf('content-length')
const PROXY_CONNECTION = lettersOf('proxy-connection')
const TRANSFER_ENCODING = lettersOf('transfer-encoding')

const METHODS: readonly { readonly name: FastMethod; readonly bytes: Uint8Array }[] = [
  { name: 'GET', bytes: lettersOf('GET ') },
  { name: 'HEAD', bytes: lettersOf('HEAD ') },
  { name: 'OPTIONS', bytes: lettersOf('OPTIONS ') }
]
const LONGEST_METHOD = 'OPTIONS '.length

function methodAt(bytes: Uint8Array, start: number, end: number): FastMethod | null {
  for (const method of METHODS) {
    if (start + method.bytes.length <= end && startsWith(bytes, start, method.bytes, method.bytes.length)) {
      return method.name
    }
  }
  return null
}

function isMethodPrefix(bytes: Uint8Array, start: number, end: number): boolean {
  return METHODS.some(
    (method) => end - start < method.bytes.length && startsWith(bytes, start, method.bytes, end - start)
  )
}

function startsWith(bytes: Uint8Array, start: number, expected: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== expected[index]) return false
  }
  return true
}

/** Compares without regard to case; `expected` is lower case, letters and hyphens only. */
function matches(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) {
    // Setting 0x20 lowers a letter and leaves a hyphen as it is. It also maps CR to a hyphen, which can't stand here:
    // names are tokens, and values have been checked for control characters.
    if ((bytes[start + index]! | 0x20) !== expected[index]) return false
  }
  return true
}

/** A name or IPv4 address, then perhaps a colon and 1 to 5 digits. Trailing blanks, brackets, commas are not plain. */
function isPlainHost(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end && isPlainHostByte[bytes[at]!]) at++
  if (at === start) return false
  if (at === end) return true
  if (bytes[at] !== COLON) return false
  const digits = end - at - 1
  if (digits < 1 || digits > 5) return false
  for (at++; at < end; at++) {
    if (bytes[at]! < 0x30 || bytes[at]! > 0x39) return false
  }
  return true
}

function lettersOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
