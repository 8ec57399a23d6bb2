import { type Order, orderQuery, PUBLISH_PATH } from '../broadcast/publisher.ts'
import type { RunningServer } from './server.ts'
import type { Finish } from './subscriber-client.ts'

/** Lets the server publish. @returns the number of rounds */
export async function publish({ port }: RunningServer, order: Order): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${PUBLISH_PATH}${orderQuery(order)}`, {
    method: 'POST'
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`The order to publish was answered with ${response.status} ${text}`)
  return Number(text)
}

/** published x subscribers = delivered + skipped + in flight, and what was in flight arrives. */
export function checkConservation({ account, atLast, ended }: Finish): void {
  const lost = atLast.inFlight > 0 ? [`${atLast.inFlight} of ${atLast.owed} deliveries never came`] : []
  const faults = [...account.faults, ...atLast.faults, ...lost, ...new Set(ended)]
  if (faults.length > 0) throw new Error(`Messages are not conserved: ${faults.join('; ')}`)
}
