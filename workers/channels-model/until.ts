import { setTimeout as delay } from 'node:timers/promises'

/** Far beyond what anything takes, on whatever machine. In milliseconds. */
export const LIMIT = 60_000

/** Waits until it is so. @param what says what did not come */
export async function until(isSo: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + LIMIT
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`Nothing came of it: ${what()}`)
    await delay(2)
  }
}
