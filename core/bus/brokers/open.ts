import type { Broker } from '../broker.ts'
import { parseBrokerAddress } from './address.ts'

export interface BrokerOptions {
  /** In front of every name at the broker. */
  readonly prefix: string
  /** How long a message may wait for its answer, in seconds. */
  readonly timeout: number
  /** For how long an idempotency key is remembered, in milliseconds; 0: not at all. */
  readonly idempotencyWindow: number
}

/** A broker by its address, or null for 'memory'. The library that it takes is loaded only then. */
export async function openBroker(text: string, options: BrokerOptions): Promise<Broker | null> {
  const address = parseBrokerAddress(text)
  if (address === null) return null
  if (address.kind === 'nats') {
    const { NatsBroker } = await import('./nats/nats-broker.ts')
    return new NatsBroker(address, options)
  }
  const { RedisBroker } = await import('./redis/redis-broker.ts')
  return new RedisBroker(address, options)
}
