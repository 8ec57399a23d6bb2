// Byte classes of RFC 9110 and RFC 3986, one lookup table each: a scanner tests a byte with one load.

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const COLON = 0x3a
export const QUESTION_MARK = 0x3f

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** tchar of RFC 9110 section 5.6.2: what a header's name is made of. */
export const isTokenByte: Uint8Array = classOf(`${ALPHANUMERIC}!#$%&'*+-.^_\`|~`)

/** What a query is made of (RFC 3986 section 3.4), percent signs included. */
export const isQueryByte: Uint8Array = classOf(`${ALPHANUMERIC}-._~!$&'()*+,;=:@/?%`)

/** Letters, digits, dot, hyphen and underscore: the host names that need no second thought. */
export const isPlainHostByte: Uint8Array = classOf(`${ALPHANUMERIC}.-_`)

/** field-vchar, space and tab of RFC 9110 section 5.5, obs-text included. */
export const isFieldValueByte: Uint8Array = fieldValueBytes()

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

function fieldValueBytes(): Uint8Array {
  const table = new Uint8Array(256).fill(1, SPACE)
  table[TAB] = 1
  table[0x7f] = 0
  return table
}
