import type { TestContext } from 'node:test'
import { type Bus, type BusOptions, createBus } from '../bus.ts'

/** Rings that are full soon. */
export const SMALL: BusOptions = { logBytes: 65_536, inboxBytes: 65_536 }

/** A bus that closes when the test has ended. */
export function open(t: TestContext, options?: BusOptions): Bus {
  const bus = createBus(options)
  t.after(() => bus.close())
  return bus
}
