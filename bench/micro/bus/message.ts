/** As long as a small JSON message, and with its number in front. */
export const MESSAGE_BYTES = 140

export function makeMessage(number: number): string {
  return `{"n":${String(number).padStart(10, '0')},"text":"`.padEnd(MESSAGE_BYTES - 2, 'x') + '"}'
}

/** The digits of the number, as UTF-8. */
export function numberIn(bytes: Uint8Array): number {
  let number = 0
  for (let at = 5; at < 15; at++) number = number * 10 + bytes[at]! - 48
  return number
}
