/** One extension that a client offers, with its parameters in order; true where one has no value. */
export interface ExtensionOffer {
  readonly name: string
  readonly parameters: readonly (readonly [name: string, value: string | true])[]
}

/**
 * Reads a Sec-WebSocket-Extensions header (RFC 6455 section 9.1): a list with commas of tokens with parameters.
 *
 * @returns null where it is malformed
 */
export function parseExtensions(value: string): ExtensionOffer[] | null {
  const offers: ExtensionOffer[] = []
  let parameters: [string, string | true][] | null = null
  ITEM.lastIndex = 0
  while (ITEM.lastIndex < value.length) {
    const match = ITEM.exec(value)
    if (match === null) return null
    const [, name, token, quoted, delimiter] = match
    if (name === undefined) {
      // An empty element of the list (RFC 9110 section 5.6.1.2), but not of an offer.
      if (parameters !== null) return null
    } else if (parameters === null) {
      if (token !== undefined || quoted !== undefined) return null
      parameters = []
      offers.push({ name, parameters })
    } else {
      const given = quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, '$1')
      // A quoted value has to be a token once it is unquoted.
      if (given !== undefined && !TOKEN.test(given)) return null
      parameters.push([name, given ?? true])
    }
    if (delimiter === ',') parameters = null
    else if (delimiter === ';' && (parameters === null || ITEM.lastIndex === value.length)) return null
  }
  return offers
}

const TOKEN_PATTERN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const TOKEN = new RegExp(`^${TOKEN_PATTERN}$`)
const QUOTED = String.raw`"((?:[^"\\]|\\[\t -~])*)"`
const ITEM = new RegExp(
  String.raw`[\t ]*(?:(${TOKEN_PATTERN})[\t ]*(?:=[\t ]*(?:(${TOKEN_PATTERN})|${QUOTED})[\t ]*)?)?([,;]|$)`,
  'y'
)
