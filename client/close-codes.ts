/**
 * What to do when the server has closed with a code: connect `again`, do so with a new `token`, or `end`. Whatever the
 * network breaks, the server's restarts and its overload pass; what an app or the client itself got wrong would only repeat.
 */
export function afterClose(code: number): 'again' | 'token' | 'end' {
  if (code === 4001 || code === 4003) return 'token'
  // The sockets that the identity has elsewhere may be those of connections that broke and that nobody has missed yet.
  if (code === 4004) return 'again'
  // 1000: the app is done. 1002, 1007: the client is wrong, and stays so. From 4000 on: the app has its reasons.
  return code === 1000 || code === 1002 || code === 1007 || code >= 4000 ? 'end' : 'again'
}

/**
 * How long to wait before an attempt to connect, in milliseconds: at random below a limit that doubles ("full jitter"), so that the
 * clients of a server that was away do not come back in waves.
 *
 * @param attempt how many have failed before, from 0 on
 * @param random from 0 to 1
 */
export function backoffOf(attempt: number, initial: number, max: number, random: number): number {
  return random * Math.min(max, initial * 2 ** attempt)
}

/** When to renew a token that expires at a time, in seconds since 1970: in how many milliseconds from now. */
export function renewalIn(expires: number, now: number): number {
  // The rest is for further attempts if one fails. Timers of more than 24 days would fire at once.
  return Math.min(Math.max((expires * 1000 - now) * 0.8, 1000), 2 ** 31 - 1)
}
