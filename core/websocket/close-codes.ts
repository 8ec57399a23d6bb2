/** The close codes of RFC 6455 section 7.4.1 and the IANA registry that it founded, and those of Scherzo. */
export const closeCodes = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  unsupportedData: 1003,
  /** Stands for a close frame without a code; never on the wire. */
  noStatus: 1005,
  /** Stands for a connection that was lost without a close frame; never on the wire. */
  abnormal: 1006,
  invalidData: 1007,
  policyViolation: 1008,
  tooBig: 1009,
  extensionNeeded: 1010,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  badGateway: 1014,
  /** 4000 to 4999 are for applications: these are Scherzo's own, for identities. */
  identityExpired: 4001,
  disconnected: 4002,
  identityRefused: 4003,
  tooManySockets: 4004
} as const

/**
 * Whether a close frame may carry `code`: the registered ones that are meant for the wire, 3000 to 3999 for libraries,
 * 4000 to 4999 for applications (RFC 6455 section 7.4.2).
 */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999)
}
