import { COLON, CR, LF, SPACE, TAB } from './characters.ts'

/** Of these Node keeps the first and drops the rest; every other header is joined with a comma, Cookie with "; ". */
const SINGLE = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent'
])

/**
 * The value of a header in the header lines from `start` to `end` (the empty line), as `node:http` would give it.
 * The lines are known to be well formed.
 *
 * @param name in lower case
 */
export function fieldValue(bytes: Buffer, start: number, end: number, name: string): string | undefined {
  let joined: string | undefined
  for (let at = start; at < end && bytes[at] !== CR; at = bytes.indexOf(LF, at) + 1) {
    if (bytes[at + name.length] !== COLON || !isNamed(bytes, at, name)) continue
    const value = valueBehind(bytes, at + name.length + 1)
    if (joined === undefined) joined = value
    else if (!SINGLE.has(name)) joined += (name === 'cookie' ? '; ' : ', ') + value
  }
  return joined
}

function isNamed(bytes: Buffer, start: number, name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    const byte = bytes[start + index]!
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    if (lower !== name.charCodeAt(index)) return false
  }
  return true
}

function valueBehind(bytes: Buffer, colon: number): string {
  let start = colon
  let end = bytes.indexOf(CR, colon)
  while (start < end && isBlank(bytes[start]!)) start++
  while (end > start && isBlank(bytes[end - 1]!)) end--
  return bytes.toString('latin1', start, end)
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB
}
