import { flatText } from './flat-text.ts'

/**
 * The Date of responses (RFC 9110 section 6.6.1) and a coarse monotonic time, both renewed by `tick()`:
 * asking the system for each request would cost more than the rest of a response's head.
 */
export class Clock {
  /** Milliseconds since some start, never going back. */
  now = 0
  #second = 0
  /** Ends a head: the Date line and the empty line. */
  tail = ''
  /** The same for the last response of a connection. */
  closingTail = ''

  constructor() {
    this.tick()
  }

  tick(): void {
    this.now = performance.now()
    const second = Math.floor(Date.now() / 1000)
    if (second === this.#second) return
    this.#second = second
    const line = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
    this.tail = flatText(`${line}\r\n`)
    this.closingTail = flatText(`${line}Connection: close\r\n\r\n`)
  }
}
