/** Who is at the other end of a WebSocket, or sends a request. */
export interface Identity {
  /** The same on all sockets of one person or device: 1 to 1024 characters. */
  readonly id: string
  /** From when on it no longer holds; in seconds since 1970 where it is a number, as `exp` of a JWT. */
  readonly expires?: Date | number
  /** Whatever the app wants to know about it. */
  readonly data?: unknown
}
