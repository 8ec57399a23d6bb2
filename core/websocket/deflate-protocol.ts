/**
 * For clients behind proxies that strip extensions: a subprotocol whose name ends so is the one without it, and compresses
 * its messages itself. docs/WEBSOCKETS.md describes it.
 */
const SUFFIX = '+deflate'

export function compressesItself(protocol: string | null): boolean {
  return protocol !== null && protocol.endsWith(SUFFIX)
}

/** The name without what it says about compression. */
export function plainProtocol(protocol: string): string {
  return compressesItself(protocol) ? protocol.slice(0, -SUFFIX.length) : protocol
}

/**
 * Lets a choice among subprotocols know nothing of compression.
 *
 * @returns chooses the one that compresses where the client offers it, unless permessage-deflate does so as well for the
 *   plain one
 */
export function withDeflate(
  choose: (offered: readonly string[]) => string | null
): (offered: readonly string[], deflates: boolean) => string | null {
  return (offered, deflates) => {
    const chosen = choose([...new Set(offered.map((each) => plainProtocol(each)))])
    if (chosen === null) return null
    const compressing = chosen + SUFFIX
    const isBetter = !(deflates && offered.includes(chosen))
    return isBetter && offered.includes(compressing) ? compressing : chosen
  }
}
