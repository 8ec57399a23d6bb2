import type { BrokerAddress } from '../address.ts'
import { ClusterLink } from './cluster-link.ts'
import type { RedisLink } from './link.ts'
import { SentinelLink } from './sentinel-link.ts'
import { SingleLink } from './single-link.ts'

export function openLink(address: BrokerAddress): RedisLink {
  switch (address.kind) {
    case 'redis+cluster':
      return new ClusterLink(address)
    case 'redis+sentinel':
      return new SentinelLink(address)
    default:
      return new SingleLink(address)
  }
}
