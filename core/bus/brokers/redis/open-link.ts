import type { BrokerAddress } from '../address.ts'
import type { RedisLink } from './link.ts'
import { SingleLink } from './single-link.ts'

export function openLink(address: BrokerAddress): RedisLink {
  return new SingleLink(address)
}
