/** The opcodes of RFC 6455 section 5.2; from 8 on they are control frames. */
export const CONTINUATION = 0
export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

/** RFC 6455 section 5.5. */
export const MAX_CONTROL_PAYLOAD = 125
